"""plasma.restart: what each part of a hybrid gets wrong within 200 steps of a common restart."""

from collections.abc import Callable
from typing import ClassVar

import numpy as np
from pydantic import Field, model_validator

from lineshaft import engine
from lineshaft.engine import Run
from lineshaft.plasma import numbers, tails
from lineshaft.plasma.cases import Slab
from lineshaft.plasma.hybrid.adopt import (
    adopted,
    copied,
    edge_of,
    fluid_of,
    shuffled,
    thermal,
    widened,
)
from lineshaft.plasma.hybrid.exchange import Exchange
from lineshaft.plasma.hybrid.hybrid import Hybrid
from lineshaft.plasma.hybrid.window import Window
from lineshaft.plasma.pic.compile import use_threads
from lineshaft.plasma.pic.simulation import Simulation

HORIZONS = (1, 20, 50, 200)
SMALL = Slab(start=5, thickness=30, box=40, ramp=5, duration=30, time=30)


class Config(engine.Config):
    """Restart hybrids from a running all-particle simulation and compare, with it, the next 200 steps.

    Pointwise errors mean nothing beyond: the case is chaotic. `noise` is the same simulation with the
    momenta of each cell exchanged, the floor; `fluid` has no particles at all; `uncoupled` is form B
    without exchange.
    Errors are relative L2 norms, NAME/QUANTITY@STEPS, means over the restarts; `tail` is the rms error of
    the five numbers of `plasma.ablation` for the ions, `hot` that of the electrons' energy above m_e c^2.
    """

    version: ClassVar[int] = 1
    objective: ClassVar = ("a/field@50", "min")

    case: Slab = Field(SMALL, description="what is simulated")
    ppc: int = Field(30, ge=2, le=10_000, description="particles a cell, of each species")
    times: tuple[float, ...] = Field((15.0, 20.0), description="when to restart (1/omega0)")

    @model_validator(mode="after")
    def restarts_within_the_run(self) -> "Config":
        latest = self.case.time - HORIZONS[-1] * self.case.dx
        wrong = [time for time in self.times if not 0 < time <= latest]
        if wrong or not self.times:
            raise ValueError(f"restarts lie above 0 and at most at {latest:g}/omega0, not {self.times}")
        return self


def ions_fluid(given: Simulation, lead: int, coarse: int = 1, fine: int = 0) -> Hybrid:
    """Ions beyond the window as a fluid; electrons beyond `fine` cells on `coarse` cells."""
    electrons, ions = species_of(given)
    edge = edge_of(given, lead)
    held = ions.particles()
    calm = (held.cell >= edge) & (held.momentum[0] < 0.02)
    heat = float(np.var(held.momentum[0][calm])) if calm.any() else 1e-8
    parts = {"ions": ([copied(ions, ~calm)], fluid_of(ions, calm, edge, heat))}
    parts["ions"][1].every = 5
    deep = electrons.particles().cell >= max(edge, fine)
    whole = (
        [copied(electrons)] if coarse == 1 else [copied(electrons, ~deep), widened(electrons, deep, coarse)]
    )
    window = Window(edge, given.cells, lead)
    return adopted(given, {"electrons": (whole, None), **parts}, window)


def both_fluid(given: Simulation, lead: int, coupled: bool = True) -> Hybrid:
    """Thermal electrons and ions beyond the window as fluids, with exchange."""
    edge = edge_of(given, lead)
    parts, exchanges = {}, []
    for k, one in enumerate(species_of(given)):
        held = one.particles()
        calm = (held.cell >= edge) & thermal(given, one.name)
        if one.charge > 0:
            calm = (held.cell >= edge) & (held.momentum[0] < 0.02)
        heat = float(np.var(held.momentum[1][calm])) if calm.any() else 1e-8
        fluid, rest = fluid_of(one, calm, edge, heat), copied(one, ~calm)
        fluid.every, fluid.walls = 5 if one.charge > 0 else 1, (False, True)
        parts[one.name] = ([rest], fluid)
        noise = np.array([k + 1], np.uint64)
        exchanges.append(Exchange(fluid, rest, noise, 3.5, 0.1 / one.mass))
    window = Window(edge, given.cells if coupled else edge, lead)
    return adopted(given, parts, window, exchanges=exchanges if coupled else [])


def all_fluid(given: Simulation) -> Hybrid:
    """No particles at all."""
    parts = {}
    for one in species_of(given):
        everything = np.ones(one.number, bool)
        parts[one.name] = ([], fluid_of(one, everything, 0, 1e-4 if one.charge < 0 else 1e-9))
    return adopted(given, parts, Window(0, 0, 0))


def noise(given: Simulation) -> Hybrid:
    """All particles, their momenta exchanged within each cell: the same plasma with other noise."""
    rng = np.random.default_rng(given.steps)
    parts = {one.name: ([shuffled(one, rng)], None) for one in given.species}
    return adopted(given, parts, Window(0, 0, 0))


def species_of(given: Simulation) -> list:
    """Electrons, then ions."""
    return sorted(given.species, key=lambda one: one.charge)


def forms(dx: float) -> dict[str, Callable[[Simulation], Hybrid]]:
    """The hybrids by name."""

    def cells(length: float) -> int:
        return round(length / dx)

    return {
        "noise": noise,
        "ions": lambda given: ions_fluid(given, cells(8)),
        "a": lambda given: ions_fluid(given, cells(8), 4, cells(10)),
        "b": lambda given: both_fluid(given, cells(20)),
        "b-ahead": lambda given: both_fluid(given, cells(30)),
        "uncoupled": lambda given: both_fluid(given, cells(20), coupled=False),
        "fluid": all_fluid,
    }


def run(config: Config, run: Run) -> dict[str, float]:
    """Walk through the restarts; the mean errors of every form."""
    use_threads(1)
    truth = config.case.contents().build(config.ppc, np.float32, config.seed)
    rows: dict[str, list[float]] = {}
    for time in run.progress(sorted(config.times), "restarting"):
        truth.run(round(time / truth.dx) - truth.steps)
        hybrids = {name: form(truth) for name, form in forms(truth.dx).items()}
        for horizon in HORIZONS:
            target = round(time / truth.dx) + horizon
            truth.run(target - truth.steps)
            for name, hybrid in hybrids.items():
                hybrid.run(target - hybrid.steps)
                for quantity, value in errors(hybrid, truth).items():
                    rows.setdefault(f"{name}/{quantity}@{horizon}", []).append(value)
    for key, values in rows.items():
        run.array(key.replace("/", "_").replace("@", "_"), np.array(values))
    return {key: float(np.mean(values)) for key, values in rows.items()}


def errors(found: Simulation, truth: Simulation) -> dict[str, float]:
    """Relative L2 errors of the fields and densities, and errors of the tails."""
    quantities = {
        "ex": (found.fields.along, truth.fields.along),
        "field": (found.fields.nodes[[0, 1, 4]], truth.fields.nodes[[0, 1, 4]]),
    }
    for name in truth.groups():
        quantities[f"n-{name}"] = (smooth(found.density(name)), smooth(truth.density(name)))
    result = {
        name: float(np.linalg.norm(mine - theirs) / max(float(np.linalg.norm(theirs)), 1e-300))
        for name, (mine, theirs) in quantities.items()
    }
    ours, whole = tails.measured(found), tails.measured(truth)
    return result | {"tail": tails.error(ours, whole, numbers.TAIL), "hot": tails.error(ours, whole, ["hot"])}


def smooth(density: np.ndarray, width: int = 20) -> np.ndarray:
    """Means over stretches of 20 cells, so that noise does not hide the rest."""
    return density[: density.size // width * width].reshape(-1, width).mean(1)
