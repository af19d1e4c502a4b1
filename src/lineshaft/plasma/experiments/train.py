"""plasma.train: the learned hybrid (LHPC) or one of its rivals, trained and rolled out on held-out
amplitudes.
"""

import time
from functools import lru_cache
from typing import Annotated, Any, ClassVar

import numpy as np
import torch
from pydantic import Field, model_validator
from torch import Tensor

from lineshaft import engine
from lineshaft.engine import Run
from lineshaft.plasma.lhpc.evaluate import Errors, roll, step_time
from lineshaft.plasma.lhpc.fluid import Fluid
from lineshaft.plasma.lhpc.inject import Injection
from lineshaft.plasma.lhpc.learn import (
    Course,
    Lessons,
    calibrate,
    noisy,
    single_loss,
    train,
    unrolled_loss,
)
from lineshaft.plasma.lhpc.methods import AllFluid, BiGaussian, Lhpc, Redrawn
from lineshaft.plasma.lhpc.rollout import Solver
from lineshaft.plasma.lhpc.score import scales
from lineshaft.plasma.lhpc.target import MACRO, Constants, Target
from lineshaft.plasma.lhpc.trajectory import HORIZONS, Trajectories, simulate

AnyMethod = Annotated[Lhpc | AllFluid | BiGaussian | Redrawn, Field(discriminator="name")]

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
    stage_seconds: float = Field(600.0, gt=0, description="a stage ends early after this long")

    @model_validator(mode="after")
    def trains_what_can_be_trained(self) -> "Config":
        if self.target.window and self.method.name in ("fluid", "bigaussian"):
            raise ValueError("a kinetic window is of the hybrid: use method=lhpc or target.window=0")
        if any(h < 1 or h * MACRO > self.target.steps // 2 for h in self.unroll):
            raise ValueError(f"unroll={self.unroll} does not fit {self.target.steps} steps: lower it")
        return self


@lru_cache(maxsize=2)
def trajectories(target: Target, device: str) -> Trajectories:
    """The data, once a process."""
    return simulate(target, device)


def run(config: Config, run: Run) -> dict[str, float]:
    """Make the data, train stage by stage, choose on the validation amplitude, score on the held-out ones."""
    torch.manual_seed(config.seed)
    device, clock = run.device, time.monotonic()
    kept = trajectories(config.target, device)
    metrics = {"data/seconds": time.monotonic() - clock, "data/gauss": kept.gauss}
    solver = assembled(config, device)
    scale = scales(kept, torch.arange(len(config.target.train)))
    if solver.fluid is None:
        return {**metrics, **held_out(config, run, solver, kept, scale, "")}
    lessons = Lessons.of(kept, config.method)
    calibrate(solver, lessons, config.batch)
    clock = time.monotonic()
    chosen, best, first = None, float("inf"), 0
    if run.state is not None and not run.relaunched:
        solver.fluid.load_state_dict(run.state["fluid"])
        if isinstance(solver.injection, Injection):
            solver.injection.load_state_dict(run.state["injection"])
        chosen, best, first = run.state["chosen"], run.state["best"], run.state["stage"]
    for stage, name in enumerate(["single", *(f"unrolled {h * MACRO}" for h in config.unroll)]):
        if stage < first:
            continue
        if modules(solver):
            advance(config, run, solver, lessons, stage)
        found = validated(config, solver, kept, scale, until=50)
        run.log(10_000 * (stage + 1), {f"valid/{key}": value for key, value in found.items()})
        if chosen is None or found["field@50"] < best:
            chosen, best = {"stage": stage, **weights(solver)}, found["field@50"]
        metrics[f"stage/{name.replace(' ', '_')}"] = found["field@50"]
        run.checkpoint(
            10_000 * (stage + 1),
            lambda: {**weights(solver), "chosen": chosen, "best": best, "stage": stage + 1},  # noqa: B023
        )
        if not modules(solver):
            break
    metrics["train/seconds"] = time.monotonic() - clock
    metrics["train/parameters"] = (
        sum(p.numel() for m in modules(solver) for p in m.parameters()) / config.members
    )
    restore(solver, chosen)
    metrics["stage"] = float(chosen["stage"])
    save(run, config, solver)
    ours, theirs = step_time(single_member(config, solver, device), config.method, kept)
    metrics |= {"time/step": ours, "time/particles_step": theirs, "time/ratio": theirs / ours}
    metrics |= {f"valid/{key}": value for key, value in validated(config, solver, kept, scale).items()}
    metrics |= held_out(config, run, solver, kept, scale, "")
    for tag, other in variants(config, solver):
        metrics |= held_out(config, run, other, kept, scale, tag)
    return metrics


def assembled(config: Config, device: str) -> Solver:
    """The untrained solver of a method."""
    method, c = config.method, Constants(config.target, 2, device)
    if method.name == "particles":
        return Solver(config.target, c, None)
    fluid = Fluid(
        c if method.groups == 2 else Constants(config.target, 4, device),
        method.groups,
        config.members,
        method.core,
        method.net,
        method.width,
        method.learned_fields,
    ).to(device)
    if method.name != "lhpc":
        return Solver(config.target, c, fluid)
    coupled = method.coupling and method.net != "none"
    injection = Injection(c, config.members, method.width).to(device) if coupled else None
    return Solver(config.target, c, fluid, injection, hybrid=True)


def modules(solver: Solver) -> list[torch.nn.Module]:
    """What has weights."""
    found = [solver.fluid] if solver.fluid is not None and solver.fluid.net is not None else []
    return [*found, *([solver.injection] if isinstance(solver.injection, Injection) else [])]


def single_member(config: Config, solver: Solver, device: str) -> Solver:
    """The first member's solver alone."""
    one = assembled(config.model_copy(update={"members": 1}), device)
    for mine, whole in zip(modules(one), modules(solver)):
        parameters = {name for name, _ in whole.named_parameters()}
        state = {
            name: (value[:, :1] if value.dim() == 5 else value[:1]) if name in parameters else value
            for name, value in whole.state_dict().items()
        }
        mine.load_state_dict(state)
    return one


def advance(config: Config, run: Run, solver: Solver, lessons: Lessons, stage: int) -> None:
    """One stage of training."""
    members = config.members

    def log(what: str) -> Any:
        return lambda i, value: run.log(10_000 * stage + i, {f"loss/{what}": value})

    if stage == 0:
        course = Course("single", config.single, config.lr, 1.0, config.stage_seconds)
        fluid = solver.fluid

        def draw() -> dict[str, Tensor]:
            return noisy(lessons.single(config.batch * members), fluid, config.noise)

        if fluid.net is not None:
            train(course, members, [fluid], draw, lambda b: single_loss(solver, b), log("fluid"))
        if isinstance(solver.injection, Injection):
            net, target = solver.injection, solver.target

            def likelihood(batch: dict[str, Tensor]) -> Tensor:
                return net.loss(net(batch["after"], batch["before"]), batch["injected"], target).mean()

            train(course, members, [net], draw, likelihood, log("injection"))
        return
    macros = config.unroll[stage - 1]
    course = Course(
        f"unrolled {macros}", config.unroll_iterations, config.unroll_lr, 0.5, config.stage_seconds
    )
    push = macros // 2 if config.pushforward else 0
    train(
        course,
        members,
        modules(solver),
        lambda: lessons.unrolled(config.unroll_batch * members, macros),
        lambda batch: unrolled_loss(solver, batch, macros, push),
        log(f"unrolled_{macros}"),
    )


def weights(solver: Solver) -> dict[str, Any]:
    """A copy of all weights."""
    found = {"fluid": {k: v.detach().clone() for k, v in solver.fluid.state_dict().items()}}
    if isinstance(solver.injection, Injection):
        found["injection"] = {k: v.detach().clone() for k, v in solver.injection.state_dict().items()}
    return found


def restore(solver: Solver, chosen: dict[str, Any]) -> None:
    """Go back to the weights of the chosen stage."""
    solver.fluid.load_state_dict(chosen["fluid"])
    if isinstance(solver.injection, Injection):
        solver.injection.load_state_dict(chosen["injection"])


def save(run: Run, config: Config, solver: Solver) -> None:
    """The chosen weights as model.safetensors, with the configuration that rebuilds them."""
    from lineshaft.plasma.lhpc.weights import write

    if modules(solver):
        write(run.dir / "model.safetensors", config.model_dump_json(), weights(solver))


def variants(config: Config, solver: Solver) -> list[tuple[str, Solver]]:
    """The same fluid net with no injection, and with what was truly injected."""
    if config.method.name != "lhpc":
        return []
    found = [("oracle ", Solver(solver.target, solver.c, solver.fluid, "oracle", hybrid=True))]
    if solver.injection is not None:
        found.append(("uncoupled ", Solver(solver.target, solver.c, solver.fluid, None, hybrid=True)))
    return found


def validated(
    config: Config, solver: Solver, kept: Trajectories, scale: tuple, until: int = HORIZONS[-1]
) -> dict[str, float]:
    """Mean errors on the validation amplitudes."""
    first = len(config.target.train)
    rolled = [
        roll(solver, config.method, kept, first + j, scale, config.members, until)
        for j in range(len(config.target.valid))
    ]
    return means(rolled)


def means(rolled: list[Errors]) -> dict[str, float]:
    """`field@50` and so on: means over members, restarts and amplitudes; infinite where any is not finite."""
    found = {}
    for horizon in rolled[0] if rolled else []:
        for name in rolled[0][horizon]:
            values = torch.stack([r[horizon][name] for r in rolled])
            found[f"{name}@{horizon}"] = (
                float(values.mean()) if torch.isfinite(values).all() else float("inf")
            )
    return found or {"field@50": 0.0}


def held_out(config: Config, run: Run, solver: Solver, kept: Trajectories, scale: tuple, tag: str) -> dict:
    """Errors on the test amplitudes: metrics, and all of them as the array [amplitude, member, restart,
    horizon].
    """
    first = len(config.target.train) + len(config.target.valid)
    members = config.members if solver.fluid is not None else 1
    metrics, prefix = {}, tag.strip() and tag.strip() + "/"
    rolled = []
    for j, a0 in enumerate(config.target.test):
        rolled.append(roll(solver, config.method, kept, first + j, scale, members))
        metrics |= {f"{prefix}a0={a0:g}/{key}": value for key, value in means(rolled[-1:]).items()}
    for name in rolled[0][HORIZONS[0]]:
        table = np.stack([np.stack([r[h][name].numpy() for h in HORIZONS], -1) for r in rolled])
        run.array(f"errors_{tag.strip() + '_' if tag else ''}{name}", table.astype(np.float32))
    return metrics
