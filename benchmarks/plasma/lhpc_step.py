"""Time of a step of the learned hybrid beside the all-particle solver, both in torch on the same device.

    python benchmarks/plasma/lhpc_step.py [small] > docs/results/bench-lhpc-step.json

Two sizes: the training target (2,000 cells, 288,000 particles), and one of the publication's number of
particles (10,000 cells, 1.4 million). `small` is a rehearsal. A call of the nets every 8 steps is included.
"""

import json
import platform
import sys

import torch

from lineshaft.plasma.lhpc.build import assembled
from lineshaft.plasma.lhpc.evaluate import seconds
from lineshaft.plasma.lhpc.methods import AllFluid, Lhpc
from lineshaft.plasma.lhpc.particles import Particles, moments
from lineshaft.plasma.lhpc.rollout import Solver, state_of
from lineshaft.plasma.lhpc.target import MACRO, Constants, Target
from lineshaft.plasma.lhpc.trajectory import start

TAIL = 0.03  # share of the particles that are not thermal


@torch.no_grad()
def timed(target: Target, device: str) -> dict:
    """Milliseconds a step of each method, one run at a time."""
    c, full = Constants(target, 2, device), start(target, 1, device, 0)
    fields, entering = (
        torch.zeros(1, 3, target.cells + 1, device=device),
        torch.zeros(1, MACRO, device=device),
    )
    every = moments(full, target.cells)
    n = int(full.cell.shape[-1] * TAIL)
    pick = torch.randperm(full.cell.shape[-1], device=device)[:n]
    names = ("cell", "offset", "ux", "uy", "uz", "weight")
    tail = Particles(*(getattr(full, name)[..., pick].contiguous() for name in names), used=n).roomier(1024)
    particles = Solver(target, c, None)
    found = {"particles": full.cell.numel(), "cells": target.cells, "tail": 2 * n}
    found["all_particle_ms"] = (
        1e3 / MACRO * seconds(lambda: particles.last(state_of(None, fields, full), entering), device)
    )
    for name, method in (("lhpc", Lhpc()), ("all_fluid", AllFluid()), ("classical", Lhpc(net="none"))):
        solver = assembled(target, method, 1, device)
        some = tail if method.name == "lhpc" else None

        def work(solver: Solver = solver, some: Particles | None = some) -> None:
            state = state_of(every, fields, some)
            solver.couple(solver.last(state, entering), every)

        found[f"{name}_ms"] = 1e3 / MACRO * seconds(work, device)
        found[f"{name}_ratio"] = found["all_particle_ms"] / found[f"{name}_ms"]
    return found


def main() -> None:
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cpu":
        torch.set_num_threads(1)
    small = Target(start=3, thickness=6, box=12, ppc=20, duration=40, steps=480)
    sizes = [small] if "small" in sys.argv else [Target(), Target(start=90, thickness=300, box=500)]
    chip = torch.cuda.get_device_name() if device == "cuda" else platform.processor()
    print(
        json.dumps(
            {"device": chip, "torch": torch.__version__, "sizes": [timed(t, device) for t in sizes]}, indent=1
        )
    )


if __name__ == "__main__":
    main()
