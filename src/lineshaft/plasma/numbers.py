"""Names of the numbers that describe the fast ions and the whole box; they cost no import of the solver."""

TAIL = ("top0.4", "top4", "n1", "e1", "e5")
"""Energies that .4 and 4 ions exceed, number of ions above 1, energy above 1 and above 5."""
GLOBAL = ("absorbed", "ions", "electrons", "hot")
