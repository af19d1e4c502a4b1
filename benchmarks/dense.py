"""The dense kernels' speed, with nothing that an old commit of the package does not have."""

import importlib
import time
from typing import Any

import numpy as np

from lineshaft.plasma.pic import simulation as solver
from lineshaft.plasma.pic.lists import Particles

IS_OLD = hasattr(solver, "DARK")
PERIODIC: dict[str, Any] = {"periodic": True} if IS_OLD else {"walls": None}
Species = importlib.import_module(f"lineshaft.plasma.pic.{'simulation' if IS_OLD else 'species'}").Species

CELLS, DX, TEMPERATURE, ROUNDS, STEPS = 10_000, 0.05, 0.01, 6, 5


def speeds() -> dict[str, float]:
    """Millions of pushes a CPU second at 75, 120 and 256 particles a cell."""
    return {str(ppc): speed(ppc) for ppc in (75, 120, 256)}


def speed(ppc: int) -> float:
    rng, n, species = np.random.default_rng(0), CELLS * ppc, []
    count, offset = np.full(CELLS, ppc, np.int64), (rng.random(n) * 0.999).astype(np.float32)
    for name, charge, mass in (("electrons", -1.0, 1.0), ("protons", 1.0, 1836.0)):
        u = (rng.normal(size=(3, n)) * np.sqrt(TEMPERATURE / mass)).astype(np.float32)
        species.append(Species.of(name, charge, mass, 20.0 / ppc, Particles(count, offset, u)))
    simulation = solver.Simulation(CELLS, DX, species, **PERIODIC)
    simulation.run(3)
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.process_time()
        simulation.run(STEPS)
        best = min(best, time.process_time() - start)
    return simulation.count() * STEPS / best / 1e6
