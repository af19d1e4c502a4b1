"""Experiments of the dialogue system."""
