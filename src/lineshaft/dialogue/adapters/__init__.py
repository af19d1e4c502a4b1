"""Readers of public dialogue corpora."""
