"""Corpora that experiments name by `data=`: each opens itself."""
