"""plasma.simulate: one all-particle simulation, from a case to pictures, spectra and checks."""

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from lineshaft import engine
from lineshaft.engine import Figure, Folder, Run
from lineshaft.plasma import split
from lineshaft.plasma.cases import AnyCase, Slab
from lineshaft.plasma.gather import gathered
from lineshaft.plasma.hybrid.solvers import AnySolver, Particles
from lineshaft.plasma.labels import Labelled, Labels
from lineshaft.plasma.pic import diagnostics
from lineshaft.plasma.pic.compile import use_threads
from lineshaft.plasma.pic.simulation import Broken, Simulation
from lineshaft.plasma.record import Record, save_phase_space, tails
from lineshaft.plasma.series import Series

MOST_STEPS = 10**8
PATIENCE = 1.0  # seconds between two looks whether the run should stop


class Config(engine.Config):
    """Simulate a plasma from first principles: 1D3V relativistic electromagnetic particle-in-cell.

    Units: c = omega0 = m_e = e = 1, so lengths are in c/omega0, times in 1/omega0, densities in the laser's
    critical density n_c. `case=slab` shoots a laser at a thick target; `case=langmuir` and `case=twostream`
    have known answers, which the metrics compare with; `case=./target.py` is a case of your own.
    `solver=hybrid-a` treats the ions ahead of the fast ones as a fluid and is several times faster.
    """

    version: ClassVar[int] = 2
    objective: ClassVar = ("gauss", "min")

    case: AnyCase = Field(Slab(), description="what is simulated")
    solver: AnySolver = Field(Particles(), description="all particles, or a hybrid with fluids")
    ppc: int = Field(30, ge=1, le=10_000, description="particles a cell, of each species")
    precision: Literal["float32", "float64"] = Field(
        "float32", description="of particles and the fields they see; the grid is float64"
    )
    quiet: bool = Field(False, description="start with evenly spaced particles")
    light_cone: bool = Field(False, description="move nothing before light from the left could reach it")
    labels: Labels = Field(
        Labels(), description="label particles as thermal or not while they move: labels.every=20"
    )
    rows: int = Field(120, ge=20, le=100_000, description="samples over time, of energies and waterfalls")
    tolerance: float = Field(
        0.1,
        gt=0,
        description="stop when this share of the energy is unaccounted for: the grid heats the plasma",
    )

    @model_validator(mode="after")
    def has_a_step_for_every_row(self) -> "Config":
        if steps_of(self) < self.rows:
            raise ValueError(
                f"case.time={self.case.time:g} is {steps_of(self)} steps, fewer than rows={self.rows}: "
                "raise case.time or lower rows"
            )
        if steps_of(self) > MOST_STEPS:
            raise ValueError(
                f"case.time={self.case.time:g} is {steps_of(self):.3g} steps, more than {MOST_STEPS:.0e}: "
                "lower case.time or raise case.dx"
            )
        return self


def steps_of(config: Config) -> int:
    """How many steps the run takes."""
    return round(config.case.time / config.case.dx)


def run(config: Config, run: Run) -> dict[str, float]:
    """Step the simulation, sampling `rows` times, then save and measure what it led to."""
    use_threads(run.threads)
    box, real = config.case.contents(), np.dtype(config.precision).type
    simulation = config.solver.build(box, config.ppc, real, config.seed, config.quiet, config.light_cone)
    series = Series(config.case.watched(), list(box.probes), box.dx)
    record, start = Record.of(simulation, config.rows), diagnostics.energy(simulation)
    noise, false_alarms = diagnostics.charge_noise(simulation), chance_outliers(simulation)
    labelled = Labelled(simulation, config.labels) if config.labels.every else None
    after = together(series if series.wanted else None, labelled)
    if run.state is not None and not run.relaunched:  # a parent's particles obey another configuration
        simulation.restore(run.state["simulation"])
        record = Record.restored(run.state["record"])
        series.restore(run.state["series"])
        if labelled is not None:
            labelled.restore(run.state["labels"])
    edges = np.linspace(0, steps_of(config), config.rows + 1).astype(int)

    def state() -> dict:
        kept = {} if labelled is None else {"labels": labelled.state()}
        return {
            "simulation": simulation.state(),
            "record": record.state(),
            "series": series.state(),
            **kept,
        }

    for row in run.progress(range(record.filled, config.rows), "simulating"):
        clock, first = time.perf_counter(), simulation.steps
        for _ in slices(simulation, int(edges[row + 1]) - 1, after):
            run.checkpoint(simulation.steps, state)
        budget = diagnostics.advance(simulation, 1, after)
        if labelled is not None:
            labelled.row()
        pushed = simulation.count() * (simulation.steps - first) / (time.perf_counter() - clock)
        run.log(simulation.steps, record.add(simulation, budget), mpush_per_s=pushed / 1e6)
        within(config, simulation, record, start)
        run.checkpoint(simulation.steps, state)
    record.save(run)
    series.save(run)
    save_phase_space(run, simulation)
    return {
        **config.case.compared(*series.named()),
        **checks(simulation, record, start),
        "charge/start": noise,
        **({} if labelled is None else labelled.save(run)),
        **({} if simulation.periodic else tails(run, simulation) | {"nonthermal/false_alarms": false_alarms}),
    }


def together(*parts: Callable[[Simulation], None] | None) -> Callable[[Simulation], None] | None:
    """One call after every step for those of the parts that want one; None where none does."""
    wanted = [part for part in parts if part is not None]

    def call(simulation: Simulation) -> None:
        for part in wanted:
            part(simulation)

    return call if wanted else None


def slices(simulation: Simulation, until: int, after: Callable[[Simulation], None] | None) -> Iterable[None]:
    """Advance to a step, pausing about once a second."""
    size = 1
    while simulation.steps < until:
        clock, steps = time.perf_counter(), min(size, until - simulation.steps)
        try:
            simulation.run(steps, after)
        except Broken as error:
            raise Broken(
                f"{error}; the last checkpoint before it is good: lower case.dx or look at the case's fields"
            ) from None
        taken = time.perf_counter() - clock
        size = max(1, min(2 * size, int(steps * PATIENCE / max(taken, 1e-6))))
        yield


def within(config: Config, simulation: Simulation, record: Record, start: float) -> None:
    """Stop a run whose energy has drifted too far to mean anything."""
    drift = drift_of(record, start)
    if abs(drift) > config.tolerance:
        raise ValueError(
            f"{drift:+.0%} of the energy is unaccounted for at time {simulation.time:g} (tolerance "
            f"{config.tolerance:g}): the cell of {simulation.dx:g} c/omega0 does not resolve this "
            f"plasma. Reduce "
            "dx, raise ppc or the temperature, or raise tolerance to see it through"
        )


def drift_of(record: Record, start: float) -> float:
    """Energy that came from nowhere, as a share of what was there and what entered."""
    field, entered, left, escaped, *kinetic = record.energy[record.filled - 1]
    return float((field + left + escaped - entered + sum(kinetic) - start) / max(start + entered, 1e-300))


def checks(simulation: Simulation, record: Record, start: float) -> dict[str, float]:
    """Gauss's law, the energy budget, and where particles and light went."""
    field, entered, left, *_ = record.energy[-1]
    lost = sum(one.lost[0] for one in simulation.species)
    return {
        "gauss": diagnostics.gauss_residual(simulation),
        "energy/drift": drift_of(record, start),
        "particles/absorbed": float(lost / max(1, lost + simulation.count())),
        **({"laser/absorbed": float(1 - (left + field) / entered)} if entered else {}),
    }


def chance_outliers(simulation: Simulation) -> float:
    """What share of the particles the split takes for non-thermal where all are thermal."""
    found = [split.nonthermal(gathered(simulation, name)) for name in simulation.groups()]
    return float(np.concatenate(found).mean())


def figures(folder: Path) -> Iterable[Figure]:
    """Pictures of a finished run, drawn from its arrays."""
    from lineshaft.plasma import pictures

    return pictures.draw(Folder(folder))
