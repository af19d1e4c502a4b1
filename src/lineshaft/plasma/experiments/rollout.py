"""plasma.rollout: a trained hybrid beside all particles, from one common restart."""

import time
from collections.abc import Iterator
from importlib.resources import as_file, files
from pathlib import Path
from typing import ClassVar

import torch
from pydantic import Field, field_validator, model_validator

from lineshaft import engine
from lineshaft.engine import Figure, Folder, Run
from lineshaft.plasma.lhpc.build import assembled, load
from lineshaft.plasma.lhpc.cache import trajectories
from lineshaft.plasma.lhpc.device import prepare
from lineshaft.plasma.lhpc.evaluate import at_restart, step_time
from lineshaft.plasma.lhpc.methods import AnyMethod, Lhpc, Redrawn
from lineshaft.plasma.lhpc.phase import BINS, phase_space, reach
from lineshaft.plasma.lhpc.rollout import Solver, State, state_of
from lineshaft.plasma.lhpc.score import Scale, scales, score, totals
from lineshaft.plasma.lhpc.target import MACRO, Target
from lineshaft.plasma.lhpc.trajectory import KEEP, Trajectories
from lineshaft.plasma.lhpc.weights import check_hybrid

SHIPPED = files("lineshaft.plasma.lhpc") / "trained"
SLAB = Target(
    train=(),
    valid=(),
    test=(10.0,),
    start=10,
    thickness=15,
    box=30,
    ppc=60,
    steps=1040,
)
"""The benchmark's plasma and light, thinner: a CPU computes it in seconds."""


class Config(engine.Config):
    """Roll the trained hybrid out beside all particles, from the same state in the middle of the pulse.

    Beside it the classical core without nets, and all particles redrawn from the moments that the hybrid
    starts from: the floor of what moments allow. Two solvers are shipped: `front` has particles alone to 12
    c/omega0 behind the slab's front, `published` fluid everywhere. A `model.safetensors` of your own
    `plasma.train` may take their place; nets know no place, so any slab will do.
    """

    version: ClassVar[int] = 1
    objective: ClassVar = ("field", "min")

    weights: str = Field("front", description="front, published, or a model.safetensors of plasma.train")
    target: Target = Field(SLAB, description="the slab and the laser: its first amplitude of `test`")
    at: float = Field(40.0, gt=0, description="time of the restart (1/omega0)")
    steps: int = Field(200, ge=40, le=200, multiple_of=KEEP, description="steps from there")

    @field_validator("weights")
    @classmethod
    def is_there(cls, weights: str) -> str:
        if (SHIPPED / f"{weights}.safetensors").is_file():
            return weights
        if not Path(weights).is_file():
            raise ValueError(f"weights={weights!r} is neither front nor published nor a file: give its path")
        check_hybrid(Path(weights))
        return weights

    @model_validator(mode="after")
    def fits(self) -> "Config":
        if not self.target.test:
            raise ValueError("target.test needs an amplitude: that of the laser")
        if restart(self) + self.steps > self.target.steps:
            raise ValueError(
                f"at={self.at:g} and {self.steps} steps end after target.steps={self.target.steps}: lower at"
            )
        return self


def restart(config: Config) -> int:
    """The step of the restart, where particles are kept."""
    return round(config.at / config.target.dx / KEEP) * KEEP


@torch.no_grad()
def run(config: Config, run: Run) -> dict[str, float]:
    """Simulate, restart, roll out, compare every 8 steps."""
    torch.manual_seed(config.seed)
    prepare(run.device)
    method, learned = weights(config, run.device)
    target, amplitude = learned.target, len(config.target.train) + len(config.target.valid)
    kept, core = trajectories(target, run.device), Lhpc(net="none")
    scale = scales(kept, torch.tensor([amplitude]))
    rivals: dict[str, tuple[AnyMethod, Solver]] = {
        "hybrid": (method, learned),
        "core": (core, assembled(target, core, 1, run.device)),
        "redrawn": (Redrawn(), assembled(target, Redrawn(), 1, run.device)),
    }
    metrics: dict[str, float] = {}
    for name, (how, solver) in rivals.items():
        clock = time.monotonic()
        metrics |= rolled(config, run, name, solver, how, kept, amplitude, scale)
        metrics[f"{name}/seconds"] = time.monotonic() - clock
    ours, theirs = step_time(learned, method, kept, amplitude, restart(config))
    metrics |= {"step/hybrid_ms": 1e3 * ours, "step/particles_ms": 1e3 * theirs}
    return {"field": metrics["hybrid/field"], **metrics}


def weights(config: Config, device: str) -> tuple[AnyMethod, Solver]:
    """The method and the solver, on the slab of this run; a kinetic front keeps its depth."""
    shipped = SHIPPED / f"{config.weights}.safetensors"
    with as_file(shipped if shipped.is_file() else Path(config.weights)) as path:
        _, trained = load(path, device)
        window = trained.target.window and trained.target.window - trained.target.start + config.target.start
        return load(path, device, config.target.model_copy(update={"window": window}))


def rolled(
    config: Config,
    run: Run,
    name: str,
    solver: Solver,
    method: AnyMethod,
    kept: Trajectories,
    amplitude: int,
    scale: Scale,
) -> dict[str, float]:
    """Errors of one solver over the rollout, and pictures' arrays at its end."""
    first = restart(config)
    state, slots = at_restart(solver, method, kept, amplitude, [first])
    curves: dict[str, list[float]] = {}
    for step in range(first, first + config.steps, MACRO):
        before, entering = (
            state.moments,
            kept.entering[amplitude : amplitude + 1, step + 1 : step + 1 + MACRO],
        )
        state = solver.couple(solver.last(state, entering), before)
        truth = kept.truth(torch.tensor([amplitude]), step + MACRO)
        for key, value in score(state, truth, scale, solver.c, slots).items():
            curves.setdefault(key, []).append(float(value))
    for key, values in curves.items():
        run.array(f"{name}_{key}", torch.tensor(values).numpy())
    save(run, name, solver, state)
    if name == "hybrid":
        save(run, "truth", solver, end(kept, amplitude, first + config.steps))
        run.array("step", torch.arange(MACRO, config.steps + 1, MACRO).numpy())
    return {f"{name}/{key}": values[-1] for key, values in curves.items()}


def end(kept: Trajectories, amplitude: int, step: int) -> State:
    """The true state at a step where particles are kept: thermal plasma as moments, the rest as particles."""
    which = torch.tensor([amplitude])
    groups, fields = kept.truth(which, step)
    some = kept.particles(which, [step], 0)
    return state_of(groups[:, 0::2], fields, some)


def save(run: Run, name: str, solver: Solver, state: State) -> None:
    """Density, fields and phase space of electrons and ions at the end."""
    cells = solver.target.cells
    slots = (
        None if state.particles is None or state.moments is not None else torch.ones_like(state.particles.ux)
    )
    run.array(f"{name}_density", totals(state, cells, slots)[0][0, :, 0].cpu().numpy())
    run.array(f"{name}_fields", state.fields[0].cpu().numpy())
    for k, species in enumerate(("electrons", "ions")):
        widest = reach(state.particles, k, 5 * float(solver.c.unit[0, k]))
        edges = torch.linspace(-widest, widest, BINS + 1, device=state.along.device)
        run.array(
            f"{name}_phase_{species}", phase_space(state.moments, state.particles, k, solver.c, edges, cells)
        )
        run.array(f"{name}_phase_{species}_u", edges.cpu().numpy())


def figures(folder: Path) -> Iterator[Figure]:
    """What `report` draws."""
    from lineshaft.plasma.lhpc.pictures import rollout

    yield from rollout(Folder(folder))
