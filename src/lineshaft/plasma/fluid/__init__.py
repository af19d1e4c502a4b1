"""The thermal bulk of a species as a fluid: six moments on the nodes, conserved to round-off."""
