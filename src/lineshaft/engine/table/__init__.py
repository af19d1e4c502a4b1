"""Runs as rows: the one source of every number shown."""
