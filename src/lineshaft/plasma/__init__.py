"""A first-principles plasma solver: 1D3V particle-in-cell, its cases, diagnostics and claims."""
