"""Heads in closed form that never revisit a task: what a pretrained backbone achieves with almost no
training.

Each keeps sums over the training features of a task, taken when the task was learned, and classifies among
the classes seen so far. With `schedule=frozen` they are exact; where features move, old sums are stale, as
they would be in use. These rows must stand beside any method that trains a pretrained backbone.
"""

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from lineshaft.continual.evaluate.evaluation import SHARES, Evaluation, Found, Look, percent
from lineshaft.continual.evaluate.head import among
from lineshaft.continual.seeds import generator


class Closed(Evaluation):
    """Sums of a task are added to memory; `outputs` scores features for every class."""

    def key(self) -> str:
        return str(getattr(self, "name", type(self).__name__.lower()))

    def add(self, memory: dict[str, Tensor], features: Tensor, onehot: Tensor) -> None:
        raise NotImplementedError

    def outputs(self, look: Look, memory: dict[str, Tensor], features: Tensor) -> Tensor:
        raise NotImplementedError

    def prepared(self, look: Look) -> Tensor:
        """Features [n, m] that the sums are taken of."""
        return look.shared

    def scores(self, look: Look) -> Found:
        stream, y, name = look.stream, look.stream.store.y, self.key()
        memory = {k[len(name) + 1 :]: v for k, v in look.memory.items() if k.startswith(f"{name}:")}
        features, rows = self.prepared(look), stream.tasks[look.task].train
        self.add(memory, features[rows].double(), F.one_hot(y[rows], stream.classes).double())
        look.memory.update({f"{name}:{k}": v for k, v in memory.items()})
        outputs = self.outputs(look, memory, features.double())
        seen, found = stream.allowed[: look.task + 1].any(0), Found()
        for share in SHARES:
            mine = look.rows(share)
            found[f"{share}/{name}_task"] = [
                percent(among(outputs[r], stream.allowed[task.id]) == y[r])
                for task, r in zip(stream.tasks, mine)
            ]
            queries = torch.cat(mine[: look.task + 1])
            found[f"{share}/{name}_class"] = percent(among(outputs[queries], seen) == y[queries])
        return found


def added(memory: dict[str, Tensor], key: str, value: Tensor) -> None:
    memory[key] = memory[key] + value if key in memory else value


class Ncm(Closed):
    """Nearest class mean by cosine (Rebuffi et al., arXiv 1611.07725, the classifier of iCaRL)."""

    name: Literal["ncm"] = "ncm"

    def prepared(self, look: Look) -> Tensor:
        return F.normalize(look.shared)

    def add(self, memory: dict[str, Tensor], features: Tensor, onehot: Tensor) -> None:
        added(memory, "sums", onehot.T @ features)

    def outputs(self, look: Look, memory: dict[str, Tensor], features: Tensor) -> Tensor:
        return features @ F.normalize(memory["sums"]).T


class Lda(Closed):
    """Linear discriminant analysis with one covariance for all classes, shrunk towards its mean variance."""

    name: Literal["lda"] = "lda"
    shrink: float = Field(0.1, gt=0, le=1, description="share of the mean variance in the covariance")

    def add(self, memory: dict[str, Tensor], features: Tensor, onehot: Tensor) -> None:
        added(memory, "sums", onehot.T @ features)
        added(memory, "counts", onehot.sum(0))
        own = onehot @ (onehot.T @ features / onehot.sum(0).clamp(min=1)[:, None])
        added(memory, "scatter", (features - own).T @ (features - own))

    def outputs(self, look: Look, memory: dict[str, Tensor], features: Tensor) -> Tensor:
        counts = memory["counts"].clamp(min=1)
        means, covariance = memory["sums"] / counts[:, None], memory["scatter"] / memory["counts"].sum()
        level = covariance.diagonal().mean().clamp(min=1e-12)
        eye = torch.eye(len(covariance), dtype=covariance.dtype, device=covariance.device)
        solved = torch.linalg.solve((1 - self.shrink) * covariance + self.shrink * level * eye, means.T)
        scores: Tensor = features @ solved - (means.T * solved).sum(0) / 2
        return scores


class Ranpac(Closed):
    """Random projection, ReLU, ridge regression (McDonnell et al., "RanPAC", arXiv 2307.02251).

    The ridge is chosen on the validation rows of the task just learned.
    """

    name: Literal["ranpac"] = "ranpac"
    width: int = Field(1000, ge=1, description="of the projection; the original has 10,000")
    ridges: tuple[float, ...] = Field((1e-2, 1.0, 1e2, 1e4, 1e6), min_length=1, description="to choose from")

    def prepared(self, look: Look) -> Tensor:
        draws = generator(0, "random projection")
        w = torch.randn(look.shared.shape[1], self.width, generator=draws).to(look.shared)
        return (look.shared @ w).relu()

    def add(self, memory: dict[str, Tensor], features: Tensor, onehot: Tensor) -> None:
        added(memory, "gram", features.T @ features)
        added(memory, "cross", features.T @ onehot)

    def outputs(self, look: Look, memory: dict[str, Tensor], features: Tensor) -> Tensor:
        y, rows = look.stream.store.y, look.stream.tasks[look.task].val
        eye = torch.eye(self.width, dtype=features.dtype, device=features.device)
        tried = [
            features @ torch.linalg.solve(memory["gram"] + r * eye, memory["cross"]) for r in self.ridges
        ]
        seen = look.stream.allowed[: look.task + 1].any(0)
        right = [percent(among(outputs[rows], seen) == y[rows]) for outputs in tried]
        best: Tensor = tried[max(range(len(tried)), key=right.__getitem__)]
        return best
