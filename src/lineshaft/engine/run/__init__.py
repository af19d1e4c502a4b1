"""One run and its folder: from lock to result."""
