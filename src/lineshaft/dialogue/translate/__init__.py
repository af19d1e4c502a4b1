"""Putting dialogues into another language, and checking what came of it."""
