"""Time of a step of the learned hybrid beside the all-particle solver, both in torch on the same device.

    python benchmarks/plasma/lhpc_step.py docs/results/bench-lhpc-step.json

Sizes: the training target; the publication's number of particles and cells; the same cells with 4 and 16
times the particles, where a hybrid has most to gain. Each with 1, 3 and 10 % of the particles kinetic. The
nets are called every 8 steps, which is included; their weights do not change the time. On a GPU a macro step
is one captured graph; at the smallest and the largest size its kernels are fused (compiled) as well, for 3 %
kinetic. Of each solver the faster of both counts.
"""

import argparse
import datetime
import json
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lineshaft.plasma.lhpc.build import assembled, load
from lineshaft.plasma.lhpc.evaluate import seconds
from lineshaft.plasma.lhpc.methods import AllFluid, Lhpc
from lineshaft.plasma.lhpc.particles import Particles, moments
from lineshaft.plasma.lhpc.rollout import Solver, State, state_of
from lineshaft.plasma.lhpc.target import MACRO, Constants, Target
from lineshaft.plasma.lhpc.trajectory import start

SHARES = (0.01, 0.03, 0.1)  # of the particles that stay particles
SMALL = (Target(start=3, thickness=6, box=12, ppc=20, duration=40, steps=480),)
LONG = Target(start=90, thickness=300, box=500)
SIZES = (Target(), *(LONG.model_copy(update={"ppc": ppc}) for ppc in (1920, 120, 480)))


def main() -> None:
    options = parsed()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.set_num_threads(1)
    sizes: list[dict[str, Any]] = []
    found = {**stamp(options.commit, device), "weights": trained(options), "sizes": sizes}
    for target in SMALL if options.small else SIZES:
        fused = device == "cuda" and target in (SIZES[0], SIZES[1])
        sizes.append(timed(target, device, options.weights, fused))
        options.out.write_text(json.dumps(found, indent=1) + "\n")


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path, help="the JSON file to write, anew after every size")
    parser.add_argument("--small", action="store_true", help="a rehearsal")
    parser.add_argument("--weights", type=Path, help="a model.safetensors of plasma.train")
    parser.add_argument("--commit", help="of this code, where git does not know it")
    return parser.parse_args()


def trained(options: argparse.Namespace) -> str:
    return options.weights.name if options.weights else "as initialised"


def stamp(commit: str | None, device: str) -> dict[str, str]:
    """What was measured, by which code, where and when."""
    git = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return {
        "what": "milliseconds a step of one torch solver: all particles, the learned hybrid, the classical "
        "core with particles, all-fluid",
        "command": " ".join(["python", "benchmarks/plasma/lhpc_step.py", *sys.argv[1:]]),
        "commit": commit or git.stdout.strip(),
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "device": torch.cuda.get_device_name() if device == "cuda" else platform.processor(),
        "torch": torch.__version__,
    }


@torch.no_grad()
def timed(target: Target, device: str, weights: Path | None, fused: bool) -> dict[str, Any]:
    """All methods at one size."""
    everything = start(target, 1, device, 0)
    fluid = moments(everything, target.cells)
    found: dict[str, Any] = {"particles": everything.cell.numel(), "cells": target.cells}
    particles = Solver(target, Constants(target, 2, device), None)
    found["all_particle_ms"] = step(particles, None, everything, device, fused)
    found["all_fluid_ms"] = step(assembled(target, AllFluid(), 1, device), fluid, None, device, fused)
    learned = load(weights, device, target)[1] if weights else assembled(target, Lhpc(), 1, device)
    hybrids: dict[str, Solver] = {"lhpc": learned, "core": assembled(target, Lhpc(net="none"), 1, device)}
    for name, solver in hybrids.items():
        for share in SHARES:
            ms = step(solver, fluid, some_of(everything, share), device, fused and share == SHARES[1])
            found[f"{name}_ms@{share:g}"] = ms
            found[f"{name}_ratio@{share:g}"] = best(found["all_particle_ms"]) / best(ms)
    return found


def best(times: dict[str, float]) -> float:
    return min(times.values())


def some_of(everything: Particles, share: float) -> Particles:
    """This share of the particles, in the order of the cells, with room for what a macro step injects."""
    count = everything.cell.shape[-1]
    pick = torch.randperm(count, device=everything.cell.device)[: int(count * share)].sort().values
    a, b, c, d, e, f = (x[..., pick].contiguous() for x in everything.arrays)
    return Particles(a, b, c, d, e, f, len(pick)).roomier(1024)


def step(
    solver: Solver, fluid: Tensor | None, some: Particles | None, device: str, fused: bool
) -> dict[str, float]:
    """Milliseconds a step, kernel by kernel and (on a GPU) fused."""
    cells = solver.target.cells
    fields, entering = torch.zeros(1, 3, cells + 1, device=device), torch.zeros(1, MACRO, device=device)
    state = state_of(fluid, fields, some)

    def macro(fused: bool) -> State:
        return solver.couple(solver.last(state, entering, fused=fused), fluid, fused=fused)

    found = {"plain": 1e3 / MACRO * seconds(lambda: macro(False), device)}
    if fused:
        found["fused"] = 1e3 / MACRO * seconds(lambda: macro(True), device)
    return found


if __name__ == "__main__":
    main()
