"""plasma.step: what a step of the learned hybrid costs beside all particles in the same torch solver."""

from pathlib import Path
from typing import ClassVar

import torch
from pydantic import Field, field_validator
from torch import Tensor

from lineshaft import engine
from lineshaft.engine import Run
from lineshaft.plasma.lhpc.build import assembled, load
from lineshaft.plasma.lhpc.device import prepare
from lineshaft.plasma.lhpc.evaluate import seconds
from lineshaft.plasma.lhpc.methods import AllFluid, Lhpc
from lineshaft.plasma.lhpc.particles import Particles, moments
from lineshaft.plasma.lhpc.rollout import Solver, State, state_of
from lineshaft.plasma.lhpc.target import MACRO, Constants, Target
from lineshaft.plasma.lhpc.trajectory import start
from lineshaft.plasma.lhpc.weights import check_hybrid

SMALL = Target(start=2, thickness=5, box=9, ppc=12, ramp=4, duration=16, steps=320)


class Config(engine.Config):
    """Time a step of the learned hybrid, of its classical core, of an all-fluid net, and of all particles.

    One run of one slab on one device; the nets are called every 8 steps, which is included; their weights do
    not change the time. On a GPU a macro step is one captured graph. Of a solver the faster of plain and
    fused counts. `plasma.tables:step` has the sizes of the ledger.
    """

    version: ClassVar[int] = 1

    target: Target = Field(SMALL, description="the slab: its particles at rest")
    share: float = Field(0.03, gt=0, le=1, description="of the particles that stay particles in the hybrid")
    weights: str = Field("", description="a model.safetensors of plasma.train; none: as initialised")
    compile: bool = Field(False, description="measure with fused kernels as well")

    @field_validator("weights")
    @classmethod
    def hold_a_hybrid(cls, weights: str) -> str:
        if weights:
            check_hybrid(Path(weights))
        return weights


@torch.no_grad()
def run(config: Config, run: Run) -> dict[str, float]:
    """Milliseconds a step of every solver, and the ratio of all particles to each."""
    torch.manual_seed(config.seed)
    prepare(run.device)
    target, device = config.target, run.device
    everything = start(target, 1, device, config.seed)
    fluid, some = moments(everything, target.cells), part(everything, config.share)
    learned = load(Path(config.weights), device, target)[1] if config.weights else None
    solvers: dict[str, tuple[Solver, Tensor | None, Particles | None]] = {
        "particles": (Solver(target, Constants(target, 2, device), None), None, everything),
        "lhpc": (learned or assembled(target, Lhpc(), 1, device), fluid, some),
        "core": (assembled(target, Lhpc(net="none"), 1, device), fluid, some),
        "fluid": (assembled(target, AllFluid(), 1, device), fluid, None),
    }
    found: dict[str, float] = {"particles": everything.cell.numel(), "cells": target.cells}
    for name, (solver, state, particles) in solvers.items():
        found[f"ms/{name}"] = timed(solver, state, particles, device, False)
        if config.compile:
            found |= fused(name, solver, state, particles, device)
    return found | {f"ratio/{name}": best(found, "particles") / best(found, name) for name in solvers}


def fused(
    name: str, solver: Solver, fluid: Tensor | None, some: Particles | None, device: str
) -> dict[str, float]:
    """The fused time; nothing where the compiler fails, which it says."""
    try:
        return {f"ms/{name}_fused": timed(solver, fluid, some, device, True)}
    except RuntimeError as error:
        print(f"{name} cannot be fused: {str(error)[:200]}", flush=True)
        return {}


def best(found: dict[str, float], name: str) -> float:
    """The time of the faster way."""
    return min(found[f"ms/{name}"], found.get(f"ms/{name}_fused", float("inf")))


def part(everything: Particles, share: float) -> Particles:
    """This share of the particles, in the order of the cells, with room for what a macro step injects."""
    count = everything.cell.shape[-1]
    chosen = torch.randperm(count, device=everything.cell.device)[: max(1, int(count * share))].sort().values
    a, b, c, d, e, f = (x[..., chosen].contiguous() for x in everything.arrays)
    return Particles(a, b, c, d, e, f, len(chosen)).roomier(1024)


def timed(solver: Solver, fluid: Tensor | None, some: Particles | None, device: str, fused: bool) -> float:
    """Milliseconds a step."""
    cells = solver.target.cells
    fields, entering = torch.zeros(1, 3, cells + 1, device=device), torch.zeros(1, MACRO, device=device)
    state = state_of(fluid, fields, some)

    def macro() -> State:
        return solver.couple(solver.last(state, entering, fused=fused), fluid, fused=fused)

    return 1e3 / MACRO * seconds(macro, device)
