"""How good the features are: weighted kNN and a few-shot linear probe, on validation or test images.

Nothing here sees the network's own head, and nothing is chosen on the images that are scored: neighbours come
from the training images, and so do the probe's few shots. All in percent.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from lineshaft.continual.backbones.net import Net
from lineshaft.continual.probe import Probe, fit
from lineshaft.continual.streams import Store, Stream, Task

TEMPERATURE = 0.1
Part = Literal["val", "test"]
PARTS: tuple[Part, Part] = ("val", "test")


@dataclass(frozen=True)
class Scores:
    """Accuracies after some task: of every task of the stream, and over the classes seen so far.

    knn: task-incremental, the neighbours are the task's own training images; probe: trained on a few of them;
    knn_class: class-incremental, neighbours and queries are those of all tasks seen so far; ridge: the
    strength each probe chose, the same for validation and test.
    """

    knn: list[float]
    probe: list[float]
    knn_class: float
    ridge: list[float]


def scores(features: Tensor, stream: Stream, seen: int, neighbours: int, shots: int) -> dict[Part, Scores]:
    """Scores of the features [n, width] of all images of the store after `seen` tasks.

    A network that diverged has no accuracy: where a feature is not finite every score is NaN.
    """
    if not torch.isfinite(features).all():
        nan = [float("nan")] * len(stream.tasks)
        return {part: Scores(nan, nan, float("nan"), nan) for part in PARTS}
    y = stream.store.y
    probes = [probe(features, y, task, shots) for task in stream.tasks]
    memory = torch.cat([task.train for task in stream.tasks[:seen]])
    found: dict[Part, Scores] = {}
    for part in PARTS:
        queries = [task.part(part) for task in stream.tasks]
        found[part] = Scores(
            knn=[knn(features, y, t.train, rows, neighbours) for t, rows in zip(stream.tasks, queries)],
            probe=[percent(p(features[rows]) == y[rows]) for p, rows in zip(probes, queries)],
            knn_class=knn(features, y, memory, torch.cat(queries[:seen]), neighbours),
            ridge=[p.ridge for p in probes],
        )
    return found


def percent(right: Tensor) -> float:
    return 100 * int(right.sum()) / len(right)


@torch.no_grad()
def embed(net: Net, store: Store, batch: int = 2000) -> Tensor:
    """Features, float32 [n, width], of all images of the store, as they are, BatchNorm in eval mode."""
    net.eval()
    device = store.x.device
    chunks = []
    for ids in torch.arange(len(store.x), device=device).split(batch):
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            chunks.append(net.features(store.view(ids)).float())
    return torch.cat(chunks)


def knn(features: Tensor, y: Tensor, memory: Tensor, queries: Tensor, neighbours: int) -> float:
    """Percent of the queries that a weighted vote of their nearest neighbours by cosine gets right."""
    bank, labels = F.normalize(features[memory]), y[memory]
    classes, right = int(labels.max()) + 1, []
    for rows in queries.split(2000):  # one matrix product a chunk: 2,000 x 45,000 similarities are 360 MB
        similarity, nearest = (F.normalize(features[rows]) @ bank.T).topk(min(neighbours, len(bank)))
        right.append(vote(similarity, labels[nearest], classes) == y[rows])
    return percent(torch.cat(right))


def vote(similarity: Tensor, labels: Tensor, classes: int) -> Tensor:
    """The class [n] of greatest total weight exp(similarity / T) among neighbours [n, k].

    Wu et al., "Unsupervised feature learning via non-parametric instance discrimination", arXiv 1805.01978.
    """
    weights = torch.zeros(len(labels), classes, device=labels.device)
    return weights.scatter_add_(1, labels, (similarity / TEMPERATURE).exp()).argmax(1)


def probe(features: Tensor, y: Tensor, task: Task, shots: int) -> Probe:
    """A linear classifier of the task's classes, trained on `shots` images a class."""
    few = torch.cat([task.train[y[task.train] == label][:shots] for label in task.classes])
    return fit(features[few], y[few], torch.tensor(task.classes, device=y.device))
