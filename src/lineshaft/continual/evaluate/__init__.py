"""How good a representation is, and for what; one file a way of asking."""
