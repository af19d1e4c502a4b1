"""What the engine itself costs, beside its peers."""
