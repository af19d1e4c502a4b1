"""Folds that hold out what a test would, ranks that cannot flatter, intervals over users."""
