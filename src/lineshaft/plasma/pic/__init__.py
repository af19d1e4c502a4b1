"""The all-particle solver: grid, particles, fields, laser, kernels, diagnostics."""
