"""plasma.train: the learned hybrid (LHPC) or one of its rivals, trained and rolled out on held-out
amplitudes.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from pydantic import Field, model_validator
from torch import Tensor

from lineshaft import engine
from lineshaft.engine import Figure, Folder, Run
from lineshaft.plasma.lhpc import weights
from lineshaft.plasma.lhpc.build import (
    Weights,
    assembled,
    copied,
    member,
    modules,
    parameters,
    restore,
    variants,
)
from lineshaft.plasma.lhpc.cache import trajectories
from lineshaft.plasma.lhpc.device import prepare
from lineshaft.plasma.lhpc.evaluate import Errors, roll, step_time
from lineshaft.plasma.lhpc.inject import Injection
from lineshaft.plasma.lhpc.learn import Course, calibrate, noisy, train
from lineshaft.plasma.lhpc.lessons import Batch, Lessons
from lineshaft.plasma.lhpc.losses import Unrolling, single_loss, unrolled_loss
from lineshaft.plasma.lhpc.methods import AnyMethod, Lhpc
from lineshaft.plasma.lhpc.rollout import Solver
from lineshaft.plasma.lhpc.score import Scale, scales
from lineshaft.plasma.lhpc.target import MACRO, Target
from lineshaft.plasma.lhpc.trajectory import HORIZONS, Trajectories

STAGE = 10_000  # steps of the log between two stages

SMALL = Target(
    train=(3.0, 6.0),
    valid=(4.0,),
    test=(5.0,),
    start=2,
    thickness=5,
    box=9,
    ppc=12,
    ramp=4,
    duration=16,
    steps=320,
)
"""A slab that a CPU trains on in seconds: the whole path, not the physics of the benchmark."""


class Config(engine.Config):
    """Train the learned hybrid particle-continuum solver, or a rival, and score it on held-out lasers.

    The training data are made first: all-particle runs of every amplitude, on the same device. `members` nets
    are trained side by side, each from its own seed; all methods get the same nets, iterations and batches.
    The stage (single step, or unrolled through 16, 32, 64 steps) is chosen on the validation amplitude alone.
    The defaults are a small demonstration; `plasma.tables:lhpc` has the benchmark slab.
    """

    version: ClassVar[int] = 1
    objective: ClassVar = ("valid/field@50", "min")

    target: Target = Field(SMALL, description="the slab and the lasers")
    method: AnyMethod = Field(Lhpc(), description="the hybrid or a rival")
    members: int = Field(1, ge=1, le=16, description="training seeds, side by side")
    single: int = Field(30, ge=1, description="iterations on single macro steps of 8")
    batch: int = Field(4, ge=1, description="macro steps in a batch of each member")
    unroll: tuple[int, ...] = Field((2,), description="macro steps unrolled, stage by stage")
    unroll_iterations: int = Field(5, ge=1, description="iterations of each unrolled stage")
    unroll_batch: int = Field(1, ge=1, description="starts in an unrolled batch of each member")
    pushforward: bool = Field(False, description="no gradient through the first half of the unrolled steps")
    noise: float = Field(0.0, ge=0, description="noise on single-step inputs, in thermal units")
    lr: float = Field(2e-3, gt=0, description="learning rate on single steps")
    unroll_lr: float = Field(5e-4, gt=0, description="learning rate unrolled")
    compile: bool = Field(
        False, description="fuse the kernels of unrolled steps: several times faster on a GPU"
    )
    seconds: float = Field(7200.0, gt=0, description="a stage ends early after its share of this")

    @model_validator(mode="after")
    def has_amplitudes(self) -> "Config":
        for name in ("train", "valid", "test"):
            if not getattr(self.target, name):
                raise ValueError(f"target.{name} needs at least one amplitude: the stage is chosen on valid")
        return self

    @model_validator(mode="after")
    def trains_what_can_be_trained(self) -> "Config":
        if self.target.window and self.method.name in ("fluid", "bigaussian"):
            raise ValueError("a kinetic window is of the hybrid: use method=lhpc or target.window=0")
        if any(h < 1 or h * MACRO > self.target.steps // 2 for h in self.unroll):
            raise ValueError(f"unroll={self.unroll} does not fit {self.target.steps} steps: lower it")
        return self


def run(config: Config, run: Run) -> dict[str, float]:
    """Make the data, train stage by stage, choose on the validation amplitude, score on the held-out ones."""
    torch.manual_seed(config.seed)
    prepare(run.device)
    clock = time.monotonic()
    kept = trajectories(config.target, run.device)
    metrics = {"data/seconds": time.monotonic() - clock, "data/gauss": kept.gauss}
    solver = assembled(config.target, config.method, config.members, run.device)
    scale = scales(kept, torch.arange(len(config.target.train)))
    if solver.fluid is not None:
        metrics |= learned(config, run, solver, kept, scale)
        metrics |= timed(config, solver, kept)
        metrics |= validated(config, run, solver, kept, scale, "chosen")
    metrics |= held_out(config, run, solver, kept, scale)
    for name, other in variants(config.method, solver).items():
        metrics |= held_out(config, run, other, kept, scale, name)
    return metrics


def learned(config: Config, run: Run, solver: Solver, kept: Trajectories, scale: Scale) -> dict[str, float]:
    """Train the solver through all stages and leave it with the weights of the best one."""
    lessons, clock = Lessons.of(kept, config.method), time.monotonic()
    calibrate(solver, lessons, config.batch)
    state: dict[str, Any] = {"chosen": None, "best": float("inf"), "stage": 0, "choice": 0}
    state |= {"valid": {}, "done": {}}
    if run.state is not None and not run.relaunched:
        state = run.state
        restore(solver, state["now"])
    stages = ["single", *(f"unrolled_{h * MACRO}" for h in config.unroll)] if modules(solver) else ["none"]
    for stage in range(state["stage"], len(stages)):
        state["done"][stages[stage]] = advance(config, run, solver, lessons, stage)
        found = validated(config, run, solver, kept, scale, stages[stage])
        run.log(STAGE * (stage + 1), found)
        state["valid"][stages[stage]] = found["valid/field@50"]
        if state["chosen"] is None or found["valid/field@50"] < state["best"]:
            state |= {"chosen": copied(solver), "best": found["valid/field@50"], "choice": stage}
            save(config, run, solver, state["chosen"])
        state |= {"now": copied(solver), "stage": stage + 1}
        run.checkpoint(STAGE * (stage + 1), state.copy)
    restore(solver, state["chosen"])
    metrics = {f"stage/{name}": value for name, value in state["valid"].items()}
    metrics |= {f"iterations/{name}": float(value) for name, value in state["done"].items()}
    metrics |= {"train/seconds": time.monotonic() - clock, "stage": float(state["choice"])}
    return metrics | {"train/parameters": parameters(solver) / config.members}


def save(config: Config, run: Run, solver: Solver, found: Weights) -> None:
    """The weights as model.safetensors, with the configuration that rebuilds them."""
    if modules(solver):
        weights.write(run.dir / "model.safetensors", config.model_dump_json(), found)


def share(config: Config, stage: int) -> float:
    """Seconds that a stage has: in proportion to the macro steps it unrolls; two for single steps."""
    parts = (2, *config.unroll)
    return config.seconds * parts[stage] / sum(parts)


def advance(config: Config, run: Run, solver: Solver, lessons: Lessons, stage: int) -> int:
    """One stage of training; returns its iterations."""
    if not modules(solver):
        return 0
    if stage > 0:
        return unrolled(config, run, solver, lessons, stage)
    course = Course("single", config.single, config.lr, 1.0, share(config, 0) / 2)
    fluid, injection = solver.fluid, solver.injection
    assert fluid is not None

    def draw() -> Batch:
        return noisy(lessons.single(config.batch * config.members), fluid, config.noise)

    def likelihood(batch: Batch) -> Tensor:
        assert isinstance(injection, Injection)
        rates = injection(batch["after"], batch["before"])
        return injection.loss(rates, batch["injected"], solver.target).mean()

    def log(what: str) -> Callable[[int, float], None]:
        return lambda i, value: run.log(STAGE * stage + i, {f"loss/{what}": value})

    done = 0
    if fluid.net is not None:
        done = train(
            course, config.members, [fluid], draw, lambda batch: single_loss(solver, batch), log("fluid")
        )
    if isinstance(injection, Injection):
        train(course, config.members, [injection], draw, likelihood, log("injection"))
    return done


def unrolled(config: Config, run: Run, solver: Solver, lessons: Lessons, stage: int) -> int:
    """Train fluid and injection together through several macro steps."""
    macros = config.unroll[stage - 1]
    name = f"unrolled_{macros * MACRO}"
    course = Course(name, config.unroll_iterations, config.unroll_lr, 0.5, share(config, stage))
    push = macros // 2 if config.pushforward else 0
    how = Unrolling(macros, push, max(config.unroll), config.compile)
    return train(
        course,
        config.members,
        modules(solver),
        lambda: lessons.unrolled(config.unroll_batch * config.members, macros),
        lambda batch: unrolled_loss(solver, batch, how),
        lambda i, value: run.log(STAGE * stage + i, {f"loss/{name}": value}),
    )


def timed(config: Config, solver: Solver, kept: Trajectories) -> dict[str, float]:
    """Seconds a step of one member, and of all particles in the same solver on the same device."""
    one = member(config.target, config.method, solver, 0, str(kept.groups.device))
    steps = config.target.restarts()
    amplitude = len(config.target.train) + len(config.target.valid)
    ours, theirs = step_time(one, config.method, kept, amplitude, steps[len(steps) // 2])
    return {"time/step": ours, "time/particles_step": theirs, "time/ratio": theirs / ours}


def validated(
    config: Config, run: Run, solver: Solver, kept: Trajectories, scale: Scale, stage: str
) -> dict[str, float]:
    """Mean errors on the validation amplitudes, `valid/field@50` and so on; of fields an array a stage."""
    first, count = len(config.target.train), len(config.target.valid)
    rolled = [roll(solver, config.method, kept, first + j, scale, config.members) for j in range(count)]
    run.array(f"valid_{stage}_field", table(rolled, "field"))
    return {f"valid/{key}": value for key, value in means(rolled).items()}


def table(rolled: list[Errors], name: str) -> np.ndarray:
    """All errors of a quantity, [amplitude, member, restart, horizon]."""
    found = [np.stack([r[h][name].numpy() for h in HORIZONS], -1) for r in rolled]
    return np.stack(found).astype(np.float32)


def means(rolled: list[Errors]) -> dict[str, float]:
    """`field@50` and so on: means over members, restarts and amplitudes; infinite where any is not finite."""
    found = {}
    for horizon in rolled[0]:
        for name in rolled[0][horizon]:
            values = torch.stack([r[horizon][name] for r in rolled])
            found[f"{name}@{horizon}"] = (
                float(values.mean()) if torch.isfinite(values).all() else float("inf")
            )
    return found


def held_out(
    config: Config, run: Run, solver: Solver, kept: Trajectories, scale: Scale, variant: str = ""
) -> dict[str, float]:
    """Errors on the test amplitudes: metrics, and all as arrays [amplitude, member, restart, horizon]."""
    first = len(config.target.train) + len(config.target.valid)
    members = config.members if solver.fluid is not None else 1
    prefix, rolled = f"{variant}/" if variant else "", []
    metrics: dict[str, float] = {}
    for j, a0 in enumerate(config.target.test):
        rolled.append(roll(solver, config.method, kept, first + j, scale, members))
        metrics |= {f"{prefix}a0={a0:g}/{key}": value for key, value in means(rolled[-1:]).items()}
    for name in rolled[0][HORIZONS[0]]:
        run.array(f"errors_{variant}_{name}" if variant else f"errors_{name}", table(rolled, name))
    return metrics


def figures(folder: Path) -> Iterator[Figure]:
    """What `report` draws."""
    from lineshaft.plasma.lhpc.pictures import trained

    yield from trained(Folder(folder))
