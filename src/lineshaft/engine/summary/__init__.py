"""Runs grouped, tuned and compared over seeds."""
