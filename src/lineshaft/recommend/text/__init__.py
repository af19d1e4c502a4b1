"""Texts of a catalogue as numbers: a language encoder, words, and both spread over the item graph."""
