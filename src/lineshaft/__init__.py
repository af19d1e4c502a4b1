"""One experiment engine that drives four research systems."""
