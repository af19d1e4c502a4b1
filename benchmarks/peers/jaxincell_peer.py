"""JAX-in-Cell (MIT, PyPI `jaxincell`) on a warm periodic plasma; prints one JSON line.

It keeps every particle at every step, hence the smaller box and few steps. Its filters are off, and its field
solver is the electromagnetic one: the others solve Gauss's law after it, which took a sixth of its speed. Its
set-up cannot be told from its steps: 40 of them leave it 7 %.
usage: python jaxincell_peer.py CELLS PPC STEPS
"""

import json
import math
import sys
import time

import jax
from jaxincell import Simulation

ROUNDS = 3


def main(cells: int, ppc: int, steps: int) -> dict[str, float]:
    """Pushes per second of CPU time, compilation excluded."""
    warm = {f"vth_over_c_{axis}": 0.1 for axis in "xyz"}
    species = {"number_pseudoparticles": cells * ppc, "random_positions_x": True, **warm}
    simulation = Simulation(
        {
            "domain_parameters": {"total_steps": steps, "number_grid_points": cells},
            "species_parameters": {"electrons": {"e": dict(species)}, "ions": {"i": dict(species)}},
            "solver_parameters": {
                "print_info": False,
                "relativistic": True,
                "field_solver": 0,
                "filter_passes": 0,
            },
        }
    )
    jax.block_until_ready(simulation.run()["electric_field"])
    seconds = math.inf
    for _ in range(ROUNDS):
        start = time.process_time()
        fields = jax.block_until_ready(simulation.run()["electric_field"])
        seconds = min(seconds, time.process_time() - start)
    if fields.shape[:2] != (steps, cells):
        raise SystemExit(f"asked for {steps} steps of {cells} cells, got {fields.shape}")
    return {"mpush_per_s": 2 * cells * ppc * steps / seconds / 1e6, "particles": 2 * cells * ppc}


print(json.dumps(main(*map(int, sys.argv[1:4]))))
