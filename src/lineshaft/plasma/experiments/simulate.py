"""plasma.simulate: one all-particle simulation, from a case to pictures, spectra and checks."""

import time
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from lineshaft import engine
from lineshaft.engine import Figure, Folder, Run
from lineshaft.plasma import split
from lineshaft.plasma.cases import Case, Slab
from lineshaft.plasma.pic import diagnostics
from lineshaft.plasma.pic.compile import use_threads
from lineshaft.plasma.pic.simulation import Simulation
from lineshaft.plasma.record import Record, save_phase_space, tails


class Config(engine.Config):
    """Simulate a plasma from first principles: 1D3V relativistic electromagnetic particle-in-cell.

    Units: c = omega0 = m_e = e = 1, so lengths are in c/omega0, times in 1/omega0, densities in the laser's
    critical density n_c. `case=slab` shoots a laser at a thick target; `case=langmuir` and `case=twostream`
    have known answers, which the metrics compare with.
    """

    version: ClassVar[int] = 1
    objective: ClassVar = ("gauss", "min")

    case: Case = Field(Slab(), description="what is simulated")
    ppc: int = Field(30, ge=1, le=10_000, description="particles a cell, of each species")
    precision: Literal["float32", "float64"] = Field(
        "float32", description="of particles and the fields they see; the grid is float64"
    )
    rows: int = Field(120, ge=20, description="samples over time, of energies and waterfalls")

    @model_validator(mode="after")
    def has_a_step_for_every_row(self) -> "Config":
        if steps_of(self) < self.rows:
            raise ValueError(
                f"case.time={self.case.time:g} is {steps_of(self)} steps, fewer than rows={self.rows}: "
                "raise case.time or lower rows"
            )
        return self


def steps_of(config: Config) -> int:
    """How many steps the run takes."""
    return round(config.case.time / config.case.dx)


def run(config: Config, run: Run) -> dict[str, float]:
    """Step the simulation, sampling `rows` times, then save and measure what it led to."""
    use_threads(run.threads)
    simulation = config.case.build(config.ppc, np.dtype(config.precision).type, config.seed)
    record, energy = Record.of(simulation, config.rows), diagnostics.kinetic_total(simulation)
    false_alarms = chance_outliers(simulation)
    if run.state is not None and not run.relaunched:  # a parent's particles obey another configuration
        simulation.restore(run.state["simulation"])
        record = Record.restored(run.state["record"])
    edges = np.linspace(0, steps_of(config), config.rows + 1).astype(int)
    for row in run.progress(range(record.filled, config.rows), "simulating"):
        clock = time.perf_counter()
        budget = diagnostics.advance(simulation, int(edges[row + 1] - edges[row]))
        pushed = simulation.count() * (edges[row + 1] - edges[row]) / (time.perf_counter() - clock)
        run.log(simulation.steps, record.add(simulation, budget), mpush_per_s=pushed / 1e6)
        run.checkpoint(simulation.steps, lambda: {"simulation": simulation.state(), "record": record.state()})
    record.save(run)
    save_phase_space(run, simulation)
    return {
        **config.case.compared(record.time, record.waterfalls["field_x"].astype(float)),
        **checks(simulation, record, energy),
        **({} if simulation.periodic else tails(run, simulation) | {"nonthermal/false_alarms": false_alarms}),
    }


def checks(simulation: Simulation, record: Record, initial: float) -> dict[str, float]:
    """Gauss's law, the energy budget, and where particles and light went."""
    field, entered, left, escaped, *kinetic = record.energy[-1]
    held = field + left + escaped - entered + sum(kinetic)
    lost = sum(one.lost[0] for one in simulation.species)
    return {
        "gauss": diagnostics.gauss_residual(simulation),
        "energy/drift": float((held - initial) / (initial + entered)),
        "particles/absorbed": float(lost / max(1, lost + simulation.count())),
        **({"laser/absorbed": float(1 - (left + field) / entered)} if entered else {}),
    }


def chance_outliers(simulation: Simulation) -> float:
    """What share of the particles the split takes for non-thermal where all are thermal."""
    found = [split.nonthermal(simulation.particles(one)) for one in simulation.species]
    return float(np.concatenate(found).mean())


def figures(folder: Path) -> Iterable[Figure]:
    """Pictures of a finished run, drawn from its arrays."""
    from lineshaft.plasma import pictures

    return pictures.draw(Folder(folder))
