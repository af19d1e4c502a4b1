"""Scripts that do the tiny experiment's work under other tools: processes of the bench, never imported."""
