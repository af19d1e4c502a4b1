"""One network learns the tasks of an image stream one after the other; how good do its features stay?"""

from collections.abc import Iterable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from pydantic import Field, model_validator

from lineshaft import engine
from lineshaft.continual import data, matrix
from lineshaft.continual.backbones.mlp import mlp
from lineshaft.continual.backbones.net import Net
from lineshaft.continual.backbones.resnet import resnet18
from lineshaft.continual.evaluate import PARTS, Part, Scores, embed, scores
from lineshaft.continual.phases import Finetune, Frozen, Lpft
from lineshaft.continual.probe import at_edge
from lineshaft.continual.streams import Stream, class_incremental
from lineshaft.continual.train import Learner, Step, plan
from lineshaft.engine import Figure, Folder, Run

CLASSES_PER_TASK = 2
NEIGHBOURS = {"digits": 20, "cifar10": 200}


class Config(engine.Config):
    """Train one network on a stream of tasks, two new classes each, by plain fine-tuning or by probing before
    fine-tuning (LP-FT), and follow how well its features serve every task. Accuracies are in percent."""

    version: ClassVar[int] = 1
    objective: ClassVar = ("val/knn_task", "max")

    data: Literal["digits", "cifar10"] = Field("digits", description="images: 5 tasks of 2 classes each")
    schedule: Annotated[Finetune | Lpft | Frozen, Field(discriminator="name")] = Field(
        Lpft(), description="what is trained at each task; frozen: nothing, the untrained control"
    )
    epochs: int = Field(20, ge=1, description="epochs a task")
    batch: int = Field(32, ge=1, description="greatest batch; the batches of an epoch are of equal size")
    weight_decay: float = Field(5e-4, ge=0, description="of whatever is being trained")
    labels: Literal["true", "shuffled"] = Field(
        "true",
        description="shuffled: permute the training labels within each task; evaluation keeps the true ones",
    )
    train_size: int | None = Field(
        None, ge=2, description="training images a class, none for all; a tenth validates"
    )
    test_size: int | None = Field(None, ge=1, description="test images a class, none for all")
    neighbours: int | None = Field(
        None, ge=1, description="of the kNN vote; none: 20 for digits, 200 for cifar10"
    )
    shots: int = Field(100, ge=2, description="images a class for the few-shot probe")
    data_seed: int | None = Field(None, ge=0, description="seed of split, order and augmentation; none: seed")

    @model_validator(mode="after")
    def _leaves_epochs_to_tune(self) -> "Config":
        schedule = self.schedule
        if isinstance(schedule, Lpft) and schedule.instead and schedule.probe_epochs >= self.epochs:
            raise ValueError(
                f"schedule.instead takes probe_epochs={schedule.probe_epochs} out of epochs={self.epochs} "
                "and leaves none for fine-tuning; raise epochs or lower schedule.probe_epochs"
            )
        return self


def run(config: Config, run: Run) -> dict[str, float]:
    """Train and evaluate task by task; save the accuracy matrices."""
    stream = open_stream(config, run)
    learner = Learner(
        new_net(stream, config.seed), stream.store, config.batch, config.weight_decay, seed_of_data(config)
    )
    steps = plan(len(stream.tasks), config.schedule.phases(config.epochs))
    done, history = resume(run, learner, steps)
    for position in run.progress(range(done, len(steps)), "epochs"):
        step = steps[position]
        if step.phase is None:
            learner.rest()
            history.append(evaluate(config, learner.net, stream, step.task))
            run.log(position, after_task(history[-1], step.task))
        else:
            if step.is_first:
                learner.begin(step.phase)
            loss = learner.epoch(stream.tasks[step.task].train, step.phase)
            run.log(position, {"train/loss": loss, "train/lr": step.phase.lr, "task": step.task})
        is_last = position == len(steps) - 1
        score = float(np.mean(history[-1]["val"].knn)) if is_last else None
        run.checkpoint(position, partial(save, learner, position + 1, history), score)
    return finish(run, history)


def open_stream(config: Config, run: Run) -> Stream:
    images = data.digits() if config.data == "digits" else data.cifar10(run.data(data.CIFAR10))
    return class_incremental(
        images,
        CLASSES_PER_TASK,
        seed=seed_of_data(config),
        device=run.device,
        train_size=config.train_size,
        test_size=config.test_size,
        shuffled=config.labels == "shuffled",
    )


def seed_of_data(config: Config) -> int:
    return config.seed if config.data_seed is None else config.data_seed


def new_net(stream: Stream, seed: int) -> Net:
    """The backbone that fits the inputs, initialised on the CPU: all devices start from the same weights."""
    width = stream.store.x.shape[-1]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return resnet18(width, stream.classes) if stream.store.x.ndim == 4 else mlp(width, stream.classes)


History = list[dict[Part, Scores]]


def evaluate(config: Config, net: Net, stream: Stream, task: int) -> dict[Part, Scores]:
    """Scores on validation and test images after `task`."""
    neighbours = config.neighbours or NEIGHBOURS[config.data]
    return scores(embed(net, stream.store), stream, task + 1, neighbours, config.shots)


def after_task(found: dict[Part, Scores], task: int) -> dict[str, float]:
    """Means over the tasks seen so far, and the validation accuracy of each."""
    row: dict[str, float] = {"task": task, "val/knn_class": found["val"].knn_class}
    row["val/knn_task"] = float(np.mean(found["val"].knn[: task + 1]))
    return row | {f"val/knn_task{i}": value for i, value in enumerate(found["val"].knn)}


def save(learner: Learner, done: int, history: History) -> dict[str, Any]:
    kept = [{part: asdict(found[part]) for part in PARTS} for found in history]
    return {"done": done, "history": kept, **learner.state()}


def resume(run: Run, learner: Learner, steps: list[Step]) -> tuple[int, History]:
    """How many steps are done, and their scores; of a relaunched run's parent the weights alone are taken."""
    state = run.state
    if state is None:
        return 0, []
    if run.relaunched:
        learner.net.load_state_dict(state["net"])
        return 0, []
    learner.restore(state, steps[state["done"] - 1].phase)
    return state["done"], [{part: Scores(**found[part]) for part in PARTS} for found in state["history"]]


def finish(run: Run, history: History) -> dict[str, float]:
    """Save what figures and paired comparisons read; the final metrics."""
    metrics: dict[str, float] = {}
    for part in PARTS:
        knn = np.array([found[part].knn for found in history])
        probe = np.array([found[part].probe for found in history])
        curve = np.array([found[part].knn_class for found in history])
        for name, array in (("knn_task", knn), ("probe", probe), ("knn_class", curve)):
            run.array(f"accuracy/{part}_{name}", array)
        metrics[f"{part}/knn_task"] = matrix.average(knn)
        metrics[f"{part}/knn_class"] = float(curve[-1])
        metrics[f"{part}/probe"] = matrix.average(probe)
    knn = np.array([found["test"].knn for found in history])
    return metrics | {
        "forgetting/max": matrix.forgetting_max(knn),
        "forgetting/diag": matrix.forgetting_diagonal(knn),
        "transfer/backward": matrix.backward_transfer(knn),
        "probe/at_edge": 100 * float(np.mean([at_edge(ridge) for ridge in history[-1]["test"].ridge])),
    }


def figures(folder: Path) -> Iterable[Figure]:
    from lineshaft.continual import pictures

    return pictures.stream(Folder(folder))
