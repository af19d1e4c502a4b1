"""Models that annotate a dialogue with states."""
