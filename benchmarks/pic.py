"""`python -m benchmarks.pic`: pushes per second beside other PIC codes and beside the memory's speed.

The problem: a warm periodic plasma, electrons (u_th = 0.1) and protons, 75 of each in 10,000 cells, fields
and everything else of a step included, compilation excluded. One-core figures count CPU time, the best of a
few rounds of every code, so that other work on the machine enters little; the figure of all cores counts
wall time.
"""

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numpy as np

from benchmarks.figures import main
from lineshaft.engine.run.options import cores
from lineshaft.engine.run.provenance import processor
from lineshaft.plasma.pic.compile import kernel, use_threads
from lineshaft.plasma.pic.lists import Particles
from lineshaft.plasma.pic.simulation import Simulation
from lineshaft.plasma.pic.species import Species

CELLS, PPC, DX, DENSITY, TEMPERATURE = 10_000, 75, 0.05, 20.0, 0.01
ROUNDS, STEPS = 8, 5
BYTES_A_PUSH = 32  # four float32 read and written
PEERS = {"pipic": (CELLS, PPC, 4), "jaxincell": (1000, PPC, 40)}  # cells, ppc, steps


def pic(say: Callable[[str], None] = lambda text: None) -> dict[str, Any]:
    """The solver's figures, in millions of particle steps a second."""
    available = min(cores(), numba.config.NUMBA_NUM_THREADS)
    say("one core, float32 and float64")
    single, double = speed(np.float32, 1, time.process_time), speed(np.float64, 1, time.process_time)
    say(f"{available} cores")
    every = speed(np.float32, available, time.perf_counter)
    say("memory bandwidth")
    bound = bandwidth() / BYTES_A_PUSH / 1e6
    say("peers")
    return {
        "mpush_per_s": single,
        "mpush_per_s_float64": double,
        "mpush_per_s_all_cores": every,
        "bandwidth_bound_mpush_per_s": bound,
        "share_of_bound": single / bound,
        "bytes_a_push": BYTES_A_PUSH,
        "ppc": PPC,
        "cells": CELLS,
        "cores": available,
        "processor": processor(),
        **peers(),
    }


def warm_plasma(real: type) -> Simulation:
    """The bench's problem; protons start where the electrons are."""
    rng, n = np.random.default_rng(0), CELLS * PPC
    count, offset = np.full(CELLS, PPC, np.int64), (rng.random(n) * 0.999).astype(real)
    species = []
    for name, charge, mass in (("electrons", -1.0, 1.0), ("protons", 1.0, 1836.0)):
        momentum = (rng.normal(size=(3, n)) * np.sqrt(TEMPERATURE / mass)).astype(real)
        species.append(Species.of(name, charge, mass, DENSITY / PPC, Particles(count, offset, momentum)))
    return Simulation(CELLS, DX, species, walls=None)


def speed(real: type, threads: int, clock: Callable[[], float]) -> float:
    """Millions of pushes a second: the best of several rounds."""
    use_threads(threads)
    simulation = warm_plasma(real)
    simulation.run(2)
    return simulation.count() * STEPS / best(lambda: simulation.run(STEPS), clock) / 1e6


def best(work: Callable[[], None], clock: Callable[[], float]) -> float:
    """The shortest of several rounds, in seconds."""
    seconds = []
    for _ in range(ROUNDS):
        start = clock()
        work()
        seconds.append(clock() - start)
    return min(seconds)


@kernel
def touch(values):
    """Read and write every value once, in place."""
    for i in range(values.size):
        values[i] = values[i] * values.dtype.type(1.0000001)


def bandwidth() -> float:
    """Bytes read and written in place per second by one core, in an array far larger than the caches."""
    values = np.ones(1 << 26, np.float32)
    touch(values)
    return 2 * values.nbytes / best(lambda: touch(values), time.process_time)


def peers() -> dict[str, Any]:
    """Each peer on one core of this machine, in this run; null with a note where it is not installed."""
    found = {name: measured(name) for name in PEERS}
    return {
        "peers": {name: result.get("mpush_per_s") for name, result in found.items()},
        "peer_notes": {name: result["note"] for name, result in found.items()},
    }


def measured(name: str) -> dict[str, Any]:
    """Run a peer's script in a process of its own, on one core."""
    if importlib.util.find_spec(name) is None:
        return {"note": "not installed: make .venv/bench-ready"}
    cells, ppc, steps = PEERS[name]
    script = Path(__file__).parent / "peers" / f"{name}_peer.py"
    single = {f"{pool}_NUM_THREADS": "1" for pool in ("OMP", "OPENBLAS", "MKL", "NUMBA")}
    command = [*one_core(), sys.executable, str(script), str(cells), str(ppc), str(steps)]
    with tempfile.TemporaryDirectory() as scratch:  # pi-PIC leaves its logs where it runs
        done = subprocess.run(command, env=os.environ | single, cwd=scratch, capture_output=True, text=True)
    try:
        return json.loads(done.stdout.strip().splitlines()[-1]) | {"note": f"{cells} cells, {steps} steps"}
    except (ValueError, IndexError):
        return {"note": f"failed: {done.stderr.strip().splitlines()[-1:]}"}


def one_core() -> list[str]:
    """A prefix that keeps a command on one core where the system has such a thing."""
    if not hasattr(os, "sched_getaffinity"):
        return []
    return ["taskset", "-c", str(max(os.sched_getaffinity(0)))]


if __name__ == "__main__":
    main(pic)
