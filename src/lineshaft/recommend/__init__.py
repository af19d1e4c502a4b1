"""DeepNaniNet: recommendations for guests of a catalogue."""
