"""plasma.ablation: several solvers on one case, in turn on the same core: what each costs and finds."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field, model_validator

from lineshaft import engine
from lineshaft.engine import Part, Run
from lineshaft.plasma import tails
from lineshaft.plasma.cases import AnyCase, Slab
from lineshaft.plasma.hybrid.solvers import AnySolver, Fluids, HybridA, HybridB, Particles, Weighted
from lineshaft.plasma.pic import diagnostics
from lineshaft.plasma.pic.compile import use_threads
from lineshaft.plasma.pic.simulation import Broken, Simulation


class Rung(Part):
    """One solver of the ladder, with its number of particles and the way it starts."""

    label: Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]+$", description="its name in the metrics")]
    solver: AnySolver = Field(Particles(), description="how the case is solved")
    ppc: int = Field(120, ge=1, le=10_000, description="particles a cell, of each species")
    cheap: bool = Field(False, description="light-cone activation and quiet start")


LADDER = (
    *(Rung(label=f"plain{ppc}", ppc=ppc) for ppc in (60, 120)),
    *(Rung(label=f"cheap{ppc}", ppc=ppc, cheap=True) for ppc in (15, 30, 60, 120)),
    Rung(label="weighted", solver=Weighted(), ppc=120),
    Rung(label="a60", solver=HybridA(), ppc=60),
    Rung(label="a30", solver=HybridA(coarse_ppc=8), ppc=30),
    Rung(label="a15", solver=HybridA(coarse_ppc=4), ppc=15),
    *(Rung(label=f"b{ppc}", solver=HybridB(), ppc=ppc) for ppc in (60, 30, 15)),
    Rung(label="a60-uncoupled", solver=HybridA(coupling=False), ppc=60),
    Rung(label="b60-uncoupled", solver=HybridB(coupling=False), ppc=60),
    Rung(label="fluid", solver=Fluids()),
)
"""Particles at several ppc, plainly and cheaply, of two weights; hybrids A and B, coupled and not; fluid."""

SMALL = Slab(start=10, thickness=30, box=50, ramp=5, duration=30, time=50)


class Config(engine.Config):
    """Run several solvers on one case, slice by slice in turn on the same core, and measure their tails.

    Each rung's CPU time is taken beside the others', so that ratios hold on a busy machine. One run is one
    seed of all rungs; tails need ten. The default is a small demonstration; `plasma.tables:ablation` has the
    real ladder. Metrics are named RUNG/NUMBER@PART, PART being the part of the run in percent; RUNG/broken is
    the step at which a solver's fields were no longer finite.
    """

    version: ClassVar[int] = 1
    objective: ClassVar = None

    case: AnyCase = Field(SMALL, description="what is simulated")
    rungs: tuple[Rung, ...] = Field(
        (
            Rung(label="particles", ppc=30),
            Rung(label="cheap", ppc=15, cheap=True),
            Rung(label="a", solver=HybridA(), ppc=15),
        ),
        description="the solvers, by label",
    )
    looks: tuple[float, ...] = Field(
        (0.7, 1.0), description="parts of the run after which tails are measured"
    )
    slices: int = Field(40, ge=1, le=1000, description="slices in which the solvers take turns")

    @model_validator(mode="after")
    def tells_rungs_apart(self) -> "Config":
        labels = [rung.label for rung in self.rungs]
        twice = next((label for label in labels if labels.count(label) > 1), None)
        if not labels or twice:
            raise ValueError(f"two rungs are called {twice}" if twice else "a ladder needs at least one rung")
        if not all(0 < look <= 1 for look in self.looks):
            raise ValueError(f"looks are parts of the run, above 0 and at most 1, not {self.looks}")
        return self


@dataclass
class Climb:
    """One rung's simulation, what it cost so far and what it showed."""

    simulation: Simulation
    start: float
    seconds: float = 0.0
    steps: float = 0.0
    broken: int = 0  # the step at which its fields were no longer finite

    def advance(self, until: int) -> diagnostics.Budget | None:
        """Go on to a step, timed; the last step's energies. A solver that broke stays where it is."""
        count = until - self.simulation.steps
        if count <= 0 or self.broken:
            return None
        clock = time.process_time()
        try:
            self.simulation.run(count - 1)
            self.seconds += time.process_time() - clock
            self.steps += (count - 1) * self.simulation.count()
            return diagnostics.advance(self.simulation, 1)
        except Broken:
            self.broken = self.simulation.steps
            return None

    def checks(self, budget: diagnostics.Budget) -> dict[str, float]:
        fluids: list[Any] = list(self.simulation.fluids)
        drift = (budget.held - self.start) / max(self.start + budget.entered, 1e-300)
        return {
            "drift": float(drift),
            "gauss": diagnostics.gauss_residual(self.simulation),
            "invented": float(sum(fluid.invented(self.simulation.dx) for fluid in fluids)),
        }


def run(config: Config, run: Run) -> dict[str, float]:
    """All rungs to the end of the case, in turn; their tails, checks and seconds."""
    use_threads(1)
    warm(config)
    box, metrics = config.case.contents(), {}
    climbs: dict[str, Climb] = {}
    for rung in config.rungs:
        simulation = rung.solver.build(box, rung.ppc, np.float32, config.seed, rung.cheap, rung.cheap)
        climbs[rung.label] = Climb(simulation, diagnostics.energy(simulation))
    if run.state is not None and not run.relaunched:
        metrics = dict(run.state["metrics"])
        for label, climb in climbs.items():
            climb.simulation.restore(run.state["simulations"][label])
            climb.seconds, climb.steps, climb.broken = run.state["spent"][label]

    def state() -> dict:
        return {
            "metrics": metrics,
            "simulations": {label: climb.simulation.state() for label, climb in climbs.items()},
            "spent": {label: [climb.seconds, climb.steps, climb.broken] for label, climb in climbs.items()},
        }

    for until, look in run.progress(list(edges(config)), "climbing"):
        for label, climb in climbs.items():
            budget = climb.advance(until)
            if budget is not None and look is not None:
                found = tails.measured(climb.simulation) | climb.checks(budget)
                metrics |= {f"{label}/{name}@{look:.0%}".rstrip("%"): value for name, value in found.items()}
        run.log(until, {f"{label}/seconds": climb.seconds for label, climb in climbs.items()})
        run.checkpoint(until, state)
    for label, climb in climbs.items():
        if climb.broken:
            metrics[f"{label}/broken"] = float(climb.broken)
            continue
        metrics[f"{label}/seconds"] = climb.seconds
        metrics[f"{label}/particles"] = climb.steps / max(climb.simulation.steps, 1)
    return metrics


def edges(config: Config) -> Iterator[tuple[int, float | None]]:
    """The steps at which the turns end, and the look that falls on them."""
    steps = round(config.case.time / config.case.dx)
    looks = {round(look * steps): look for look in config.looks}
    for until in sorted({*looks, *np.linspace(0, steps, config.slices + 1).astype(int)[1:].tolist()}):
        yield until, looks.get(until)


def warm(config: Config) -> None:
    """Compile every kernel before the clocks run, on a small case: light on a slab, a moving window."""
    small = Slab(start=2, thickness=8, box=12, ramp=1, duration=6, time=12)
    for rung in config.rungs:
        rung.solver.build(small.contents(), 4, np.float32, 0).run(round(small.time / small.dx))
