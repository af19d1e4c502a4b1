"""What a simulation is judged by at the end: the fast ions, and where the energy is.

Everything is per area, in n_c c/omega0 and m_e c^2. The five numbers of `TAIL` describe the tail of the ions;
a single run scatters by 20 % in them at any number of particles, so compare means over seeds.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lineshaft.plasma.gather import gathered
from lineshaft.plasma.pic import diagnostics
from lineshaft.plasma.pic.simulation import Simulation

RANKS = {"top0.4": 0.4, "top4": 4.0}  # energy that so many ions exceed


def tail(energy: np.ndarray, weight: np.ndarray) -> dict[str, float]:
    """The ions' tail: energies that .4 and 4 of them exceed, number above 1, energy above 1 and above 5."""
    order = np.argsort(energy)[::-1]
    beyond = np.cumsum(weight[order])
    found = {
        name: float(np.interp(rank, beyond, energy[order])) if beyond.size and beyond[-1] >= rank else 0.0
        for name, rank in RANKS.items()
    }
    found["n1"] = float(weight[energy > 1].sum())
    found["e1"] = float((weight * energy)[energy > 1].sum())
    found["e5"] = float((weight * energy)[energy > 5].sum())
    return found


def measured(simulation: Simulation) -> dict[str, float]:
    """The numbers of TAIL and GLOBAL, for the ions and electrons of any names."""
    groups = simulation.groups()
    every: list[Any] = [*simulation.species, *simulation.fluids]
    positive = {one.name for one in every if one.charge > 0}
    ions = [gathered(simulation, name) for name in groups if name in positive]
    electrons = [gathered(simulation, name) for name in groups if name not in positive]
    energy = np.concatenate([one.energy for one in ions])
    entered, left = (float(flux) for flux in simulation.fields.flux)
    kinetic = {name: diagnostics.kinetic(simulation, name) for name in groups}
    return {
        **tail(energy, np.concatenate([one.weight for one in ions])),
        "absorbed": entered - left,
        "ions": sum(value for name, value in kinetic.items() if name in positive),
        "electrons": sum(value for name, value in kinetic.items() if name not in positive),
        "hot": sum(float((one.weight * one.energy)[one.energy > 1].sum()) for one in electrons),
    }


def error(found: Mapping[str, float], reference: Mapping[str, float], names: Sequence[str]) -> float:
    """Rms over the names of the relative error; 1 where the reference has something and `found` nothing."""
    errors = [found[name] / reference[name] - 1 for name in names if reference[name] != 0]
    return float(np.sqrt(np.square(errors).mean())) if errors else 0.0
