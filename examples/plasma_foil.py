"""A case of your own: a carbon foil with a corona, hit by circular light from the left.

    lineshaft run plasma.simulate case=examples/plasma_foil.py case.time=60
    lineshaft run plasma.simulate case=own case.file=examples/plasma_foil.py 'case.settings={"a0": 8}'

Lengths in c/omega0, times in 1/omega0, densities in the critical density, masses in electron masses.
"""

from lineshaft.plasma.box import Box, Population
from lineshaft.plasma.pic.laser import Pulse
from lineshaft.plasma.profiles import exponential, slab


def box(a0: float = 4.0, density: float = 12.0) -> Box:
    """A foil 4 thick behind a corona of scale 0.5; C6+ carries what its six electrons weigh in charge."""
    electrons = exponential(edge=20, scale=0.5, density=density, length=3) + slab(20, 24, density)
    plasma = (
        Population("electrons", charge=-1, mass=1, density=electrons, temperature=0.01),
        Population("carbons", charge=6, mass=12 * 1836, density=electrons * (1 / 6), temperature=1e-4),
    )
    light = Pulse(a0, ramp=8, duration=30, ellipticity=1.0)
    return Box(length=50, dx=0.05, plasma=plasma, pulses=(light,), probes=(5.0, 45.0))
