"""Scripts that do the tiny experiment's work under other tools; run as processes by the bench, never imported."""
