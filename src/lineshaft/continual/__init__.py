"""Training one model on a sequence of tasks without losing the earlier ones."""
