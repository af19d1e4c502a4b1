"""Particles and fluids in one box: zones, a moving kinetic window, and the exchange between the two."""
