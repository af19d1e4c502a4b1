"""One network learns the tasks of a stream one after the other; how good do its features stay?"""

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
import torch
from pydantic import Field, model_validator

from lineshaft import engine
from lineshaft.continual import matrix
from lineshaft.continual.augment import AnyAugment, Crop
from lineshaft.continual.backbones.auto import Auto
from lineshaft.continual.backbones.choices import AnyBackbone
from lineshaft.continual.backbones.net import Net, checked
from lineshaft.continual.evaluate.choices import AnyEvaluation
from lineshaft.continual.evaluate.drift import COLLAPSED, spread
from lineshaft.continual.evaluate.evaluation import Found, Look
from lineshaft.continual.evaluate.knn import Knn
from lineshaft.continual.evaluate.probe import Probe
from lineshaft.continual.loop import Loop
from lineshaft.continual.methods.choices import AnyMethod
from lineshaft.continual.objectives.choices import AnyObjective
from lineshaft.continual.objectives.cross_entropy import CrossEntropy
from lineshaft.continual.phases import Step, plan
from lineshaft.continual.schedules import AnySchedule, Lpft
from lineshaft.continual.seeds import derived
from lineshaft.continual.streams.choices import AnyData
from lineshaft.continual.streams.digits import Digits
from lineshaft.continual.streams.stream import Stream
from lineshaft.engine import Figure, Folder, Run

Tag = Field(discriminator="name")


class Config(engine.Config):
    """Train one network on a stream of tasks, by plain fine-tuning or by probing before fine-tuning (LP-FT),
    alone or with any methods of continual learning, and follow how well its features serve every task.
    Accuracies are in percent."""

    version: ClassVar[int] = 2
    objective: ClassVar = ("val/knn_task", "max")

    data: Annotated[AnyData, Tag] = Field(Digits(), description="what the tasks are made of")
    backbone: Annotated[AnyBackbone, Tag] = Field(Auto(), description="the network; auto: the usual one")
    loss: Annotated[AnyObjective, Tag] = Field(CrossEntropy(), description="what is trained: labels or views")
    methods: tuple[Annotated[AnyMethod, Tag], ...] = Field(
        (), description="methods of continual learning, which compose: methods=si+der"
    )
    schedule: Annotated[AnySchedule, Tag] = Field(
        Lpft(), description="what is trained at each task; frozen: nothing, the untrained control"
    )
    augment: Annotated[AnyAugment, Tag] = Field(Crop(), description="how views of a row are drawn")
    evaluate: tuple[Annotated[AnyEvaluation, Tag], ...] = Field(
        (Knn(), Probe()), description="how the representation is judged: evaluate=knn+probe+fewshot"
    )
    epochs: int = Field(20, ge=1, description="epochs a task")
    batch: int = Field(32, ge=1, description="greatest batch; the batches of an epoch are of equal size")
    data_seed: int | None = Field(
        None, ge=0, description="seed of split, order of classes, batches and augmentation; none: seed"
    )

    @model_validator(mode="after")
    def _leaves_epochs_to_tune(self) -> "Config":
        self.schedule.fits(self.epochs)
        return self


def run(config: Config, run: Run) -> dict[str, float]:
    """Train and evaluate task by task; save the accuracy matrices."""
    stream, loop = prepare(config, run)
    steps = plan(phases(config, loop))
    look = Look(loop.net, config.loss, stream, 0, seed_of_data(config), fixed=loop.fixed)
    done, history = resume(run, loop, look, steps)
    for position in run.progress(range(done, len(steps)), "epochs"):
        step = steps[position]
        if step.opens_task:
            loop.begin(step.task)
        if step.phase is None:
            loop.end(step.task)
            history.append(evaluate(config, loop, look, step.task))
            run.log(position, {"task": step.task, **summed(history[-1], step.task)})
        else:
            run.log(position, {"task": step.task, **train(loop, step)})
        score = summed(history[-1]).get(config.objective[0]) if position == len(steps) - 1 else None
        run.checkpoint(position, partial(save, loop, look, position + 1, history), score)
    return finish(run, loop, history)


def prepare(config: Config, run: Run) -> tuple[Stream, Loop]:
    """The stream, and a loop with the network as it is before the first task."""
    stream = config.data.open(run, seed_of_data(config))
    for evaluation in config.evaluate:
        evaluation.check(stream, config.loss)
    loop = Loop(
        new_net(config, stream),
        stream,
        config.loss,
        config.methods,
        augment=config.augment,
        batch=config.batch,
        seed=seed_of_data(config),
    )
    return stream, loop


def seed_of_data(config: Config) -> int:
    return config.seed if config.data_seed is None else config.data_seed


def new_net(config: Config, stream: Stream) -> Net:
    """The network with its heads, initialised on the CPU: all devices start from the same weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derived(config.seed, "weights"))
        net = checked(config.backbone.build(stream), stream)
        config.loss.attach(net, stream)
        for method in config.methods:
            net = method.attach(net, stream)
    return net


def phases(config: Config, loop: Loop) -> list[list[Any]]:
    """The phases of every task."""
    found = []
    for task in loop.stream.tasks:
        subsets = loop.net.subsets(task.id, task.classes) | config.loss.subsets(task.classes)
        mine = config.schedule.phases(config.epochs, task.id, subsets)
        for method in config.methods:
            mine = method.phases(mine, task.id, subsets)
        found.append(mine)
    return found


def train(loop: Loop, step: Step) -> dict[str, float]:
    """One epoch."""
    assert step.phase is not None
    if step.opens_phase:
        loop.start(step.phase)
    loss = loop.epoch(step.epoch)
    if step.closes_phase:
        loop.stop()
    return {"train/loss": loss, "train/lr": step.phase.lr_at(step.epoch)}


History = list[Found]


def evaluate(config: Config, loop: Loop, look: Look, task: int) -> Found:
    """All scores after a task; NaN where the network diverged, which has no accuracy."""
    now = Look(loop.net, config.loss, loop.stream, task, look.seed, look.memory, look.fixed)
    if not now.is_finite:
        return {"val/knn_task": [float("nan")] * len(loop.stream.tasks), "features/spread": float("nan")}
    found: Found = {"features/spread": spread(now.shared)}
    for evaluation in config.evaluate:
        found |= evaluation.scores(now)
    return found


def summed(found: Found, task: int | None = None) -> dict[str, float]:
    """One number a score: means over the tasks (those seen, where `task` is given)."""
    stop = None if task is None else task + 1
    return {k: float(np.mean(v[:stop])) if isinstance(v, list) else v for k, v in found.items()}


def save(loop: Loop, look: Look, done: int, history: History) -> dict[str, Any]:
    return {"done": done, "history": history, "look": dict(look.memory), **loop.state()}


def resume(run: Run, loop: Loop, look: Look, steps: list[Step]) -> tuple[int, History]:
    """How many steps are done, and their scores; of a relaunched run's parent the weights alone are taken."""
    state = run.state
    if state is None:
        return 0, []
    if run.relaunched:
        loop.net.load_state_dict(state["net"])
        return 0, []
    loop.restore(state, steps[state["done"] - 1])
    device = loop.device
    look.memory.update({key: value.to(device) for key, value in state["look"].items()})
    return state["done"], state["history"]


def finish(run: Run, loop: Loop, history: History) -> dict[str, float]:
    """Save what figures and paired comparisons read; the final metrics."""
    last = history[-1]
    metrics = summed(last)
    for key, value in last.items():
        rows = [found[key] for found in history if key in found]
        run.array(f"accuracy/{key.replace('/', '_')}", np.array(rows, dtype=float))
        if isinstance(value, list) and key.startswith("test/") and len(rows) == len(history):
            metrics |= forgetting(np.array(rows), key.removeprefix("test/"))
    metrics["features/collapsed"] = float(metrics["features/spread"] < COLLAPSED)
    if metrics["features/collapsed"]:
        found = f"spread {metrics['features/spread']:.2g}"
        print(f"collapsed: all features point one way ({found}); accuracies are chance")
    metrics["memory/megabytes"] = loop.memory_bytes / 2**20
    metrics["memory/parameters"] = float(sum(p.numel() for p in loop.net.parameters()))
    metrics["compute/passes"] = loop.passes / loop.stream.trained_rows
    return metrics


def forgetting(a: matrix.Matrix, name: str) -> dict[str, float]:
    """Both definitions, and backward transfer, of one kind of accuracy; kNN's without its name."""
    end = "" if name == "knn_task" else f"_{name}"
    return {
        f"forgetting/max{end}": matrix.forgetting_max(a),
        f"forgetting/diag{end}": matrix.forgetting_diagonal(a),
        f"transfer/backward{end}": matrix.backward_transfer(a),
    }


def figures(folder: Path) -> Iterable[Figure]:
    from lineshaft.continual import pictures

    return pictures.stream(Folder(folder))
