"""Other PIC codes on the bench's problem, each a script of its own: they are never imported."""
