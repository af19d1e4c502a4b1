"""pi-PIC (GPL, PyPI `pipic`) on a warm periodic plasma in 1D; prints one JSON line.

Its Boris solver is its fastest. usage: python pipic_peer.py CELLS PPC STEPS
"""

import json
import math
import sys
import time

import pipic
from numba import cfunc
from pipic import consts, types

ROUNDS = 3
DENSITY, TEMPERATURE, SKIN_DEPTHS = 1e18, 0.01, 0.05 * math.sqrt(20)


@cfunc(types.add_particles_callback)
def uniform(position, doubles, integers):
    return DENSITY


def main(cells: int, ppc: int, steps: int) -> dict[str, float]:
    """Pushes per second of CPU time, all set-up excluded."""
    frequency = math.sqrt(4 * math.pi * DENSITY * consts.electron_charge**2 / consts.electron_mass)
    dx = SKIN_DEPTHS * consts.light_velocity / frequency
    box = pipic.init(solver="fourier_boris", nx=cells, xmin=0.0, xmax=cells * dx)
    for name, sign, mass in (("electron", -1, 1), ("proton", 1, 1836)):
        box.add_particles(
            name=name,
            number=cells * ppc,
            charge=sign * consts.electron_charge,
            mass=mass * consts.electron_mass,
            temperature=TEMPERATURE * consts.electron_mass * consts.light_velocity**2,
            density=uniform.address,
        )
    box.advance(time_step=dx / consts.light_velocity, number_of_iterations=1)
    seconds = math.inf
    for _ in range(ROUNDS):
        start = time.process_time()
        box.advance(time_step=dx / consts.light_velocity, number_of_iterations=steps)
        seconds = min(seconds, time.process_time() - start)
    particles = box.get_number_of_particles()
    return {"mpush_per_s": particles * steps / seconds / 1e6, "particles": particles}


print(json.dumps(main(*map(int, sys.argv[1:4]))))
