"""Benchmarks of the continual system."""
