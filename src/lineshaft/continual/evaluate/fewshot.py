"""Few-shot fine-tuning and few-shot LP-FT of the final representation, the question the paper is about.

Someone takes the network as the stream left it and adapts ALL of it to one task with a few labelled rows:
fewshot_ft starts from a new random head, fewshot_lpft from a head fitted to the frozen features (logistic
regression). Both then train everything, BatchNorm with its running statistics. The rate is the one with the
best mean over tasks on the validation rows, chosen for each of the two by itself; where the best rate of the
grid is its first or last, the grid goes on in that direction: features of other schedules want other rates.
"""

import copy
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Literal

import torch
from pydantic import Field
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from lineshaft.continual import speed
from lineshaft.continual.augment import Crop
from lineshaft.continual.backbones.net import Net
from lineshaft.continual.evaluate.evaluation import SHARES, Evaluation, Found, Look, percent
from lineshaft.continual.evaluate.probe import enough, few_rows
from lineshaft.continual.objectives.objective import Objective
from lineshaft.continual.seeds import generator
from lineshaft.continual.streams.stream import Stream, Task

Kind = Literal["ft", "lpft"]
KINDS: tuple[Kind, Kind] = ("ft", "lpft")
MOMENTUM, RIDGE = 0.9, 1e-3
FURTHER, MOST = 3.0, 6  # the factor between rates beyond the grid, and how many are tried at most


class Fewshot(Evaluation):
    """Adapt the whole network to each task by a few rows a class, at the end of the stream."""

    name: Literal["fewshot"] = "fewshot"
    shots: int = Field(50, ge=1, description="training rows a class")
    epochs: int = Field(10, ge=1, description="epochs over the few rows")
    batch: int = Field(50, ge=2, description="greatest batch")
    lrs: tuple[float, ...] = Field(
        (0.003, 0.01, 0.03), min_length=1, description="learning rates to begin with"
    )

    def check(self, stream: Stream, objective: Objective) -> None:
        enough(stream, self.shots, "fewshot.shots")

    def scores(self, look: Look) -> Found:
        """Nothing until the stream has ended: it is the final representation that is adapted."""
        if not look.is_last:
            return {}
        found: Found = {}
        for kind in KINDS:
            tried = followed(self.lrs, partial(self._adapted, look, kind), lambda scores: sum(scores["val"]))
            best = max(tried, key=lambda lr: sum(tried[lr]["val"]))
            found |= {f"{share}/fewshot_{kind}": tried[best][share] for share in SHARES}
            found |= {f"fewshot/{kind}_lr": best, f"fewshot/{kind}_at_edge": float(at_edge(tried, best))}
        return found

    def _adapted(self, look: Look, kind: Kind, lr: float) -> "Scores":
        """Accuracies by share, one a task."""
        found: Scores = {share: [] for share in SHARES}
        for task in look.stream.tasks:
            net, head = self._start(look, kind, task)
            self._train(look, net, head, task, lr)
            for share in SHARES:
                found[share].append(accuracy(net, head, look.stream, task, task.part(share)))
        return found

    def _start(self, look: Look, kind: Kind, task: Task) -> tuple[Net, nn.Linear]:
        net, y = copy.deepcopy(look.net), look.stream.store.y
        for name, parameter in net.named_parameters():
            parameter.requires_grad_(name not in look.fixed)
            parameter.grad = None
        net.eval()
        few = few_rows(task, y, self.shots)
        head = new_head(net.width, len(task.classes), generator(look.seed, f"few-shot head {task.id}"))
        if kind == "lpft":
            logistic(head, look.own[few].cpu(), places(y[few], task).cpu())
        return net, head.to(y.device)

    def _train(self, look: Look, net: Net, head: nn.Linear, task: Task, lr: float) -> None:
        store = look.stream.store
        few = few_rows(task, store.y, self.shots)
        draws = generator(look.seed, f"few-shot {task.id}", store.x.device)
        trained = [p for p in [*net.parameters(), *head.parameters()] if p.requires_grad]
        optimiser = torch.optim.SGD(trained, lr, MOMENTUM, fused=store.x.is_cuda)
        for _ in range(self.epochs):
            order = torch.randperm(len(few), generator=draws, device=few.device)
            for ids in few[order].tensor_split(-(-len(few) // self.batch)):
                with speed.autocast(store.x.device), speed.eager():
                    logits = head(net.features(Crop().view(store, ids, draws), task.id)).float()
                loss = F.cross_entropy(logits, places(store.y[ids], task))
                optimiser.zero_grad(set_to_none=True)
                loss.backward()
                optimiser.step()


Scores = dict[str, list[float]]


def followed(
    rates: Sequence[float], scores: Callable[[float], Scores], value: Callable[[Scores], float]
) -> dict[float, Scores]:
    """Scores of the rates, and of further ones while the best lies at an end, at most MOST of those."""
    tried = {rate: scores(rate) for rate in rates}
    for _ in range(MOST):
        best = max(tried, key=lambda rate: value(tried[rate]))
        if not at_edge(tried, best):
            break
        further = best / FURTHER if best == min(tried) else best * FURTHER
        tried[further] = scores(further)
    return tried


def at_edge(rates: Iterable[float], best: float) -> bool:
    return best in (min(rates), max(rates))


def new_head(width: int, classes: int, draws: Generator) -> nn.Linear:
    """torch's own initialisation, from a generator of its own."""
    head = nn.Linear(width, classes)
    bound = width**-0.5
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.uniform_(-bound, bound, generator=draws)
    return head


def places(labels: Tensor, task: Task) -> Tensor:
    """Labels as positions among the task's classes."""
    classes = torch.tensor(task.classes, device=labels.device)
    return (labels[:, None] == classes).int().argmax(1)


def logistic(head: nn.Linear, features: Tensor, labels: Tensor) -> None:
    """Fit the head to fixed features: logistic regression with a little weight decay, by L-BFGS."""
    features = features.detach()
    scale = features.norm(dim=1).mean().clamp(min=1e-8)
    head.weight.data.zero_()
    head.bias.data.zero_()
    optimiser = torch.optim.LBFGS(head.parameters(), max_iter=60, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        value = F.cross_entropy(head(features / scale), labels) + RIDGE * head.weight.square().sum()
        value.backward()
        return value

    optimiser.step(loss)
    head.weight.data /= scale


@torch.no_grad()
def accuracy(net: Net, head: nn.Linear, stream: Stream, task: Task, rows: Tensor) -> float:
    net.eval()
    right = []
    for ids in rows.split(2000):
        with speed.autocast(rows.device), speed.eager():
            logits = head(net.features(stream.store.view(ids), task.id))
        right.append(logits.argmax(1) == places(stream.store.y[ids], task))
    return percent(torch.cat(right))
