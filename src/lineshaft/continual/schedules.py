"""Schedules: what is trained at each task, in which order, and for how long.

LP-FT (Kumar et al., "Fine-tuning can distort pretrained features and underperform out-of-distribution",
arXiv 2202.10054; on a stream of tasks: "Improving representational continuity with supervised continued
pretraining", arXiv 2302.13289): first train the head alone on frozen features (linear probing), then
everything (fine-tuning). A head that already fits sends smaller gradients into the body: less is distorted.
Not to be confused with probing as an EVALUATION, which throws its head away.
"""

from typing import Any, Literal

from pydantic import Field

from lineshaft.continual.paramset import ALL, ParamSet, named
from lineshaft.continual.phases import LossOver, Phase
from lineshaft.engine import Part

Subsets = dict[str, ParamSet]


class Schedule(Part):
    """The phases of a task; `subsets` are the network's and the objective's named parts at that task."""

    def phases(self, epochs: int, task: int, subsets: Subsets) -> list[Phase]:
        raise NotImplementedError

    def fits(self, epochs: int) -> None:
        """Raise ValueError where so few epochs leave nothing to do."""


class Recipe(Schedule):
    """How fine-tuning is done, by whatever schedule."""

    lr: float = Field(0.001, gt=0, description="learning rate of fine-tuning")
    loss_over: LossOver = Field(
        "all", description="logits in the loss: all classes, those seen so far, or the sample's own task's"
    )
    optimiser: Literal["sgd", "adam"] = Field("sgd", description="sgd with momentum, or adam")
    momentum: float = Field(0.9, ge=0, lt=1, description="momentum of sgd")
    weight_decay: float = Field(5e-4, ge=0, description="of whatever is being trained")
    clip: float = Field(0.0, ge=0, description="greatest norm of the gradient; 0: not clipped")
    decay: Literal["constant", "cosine"] = Field("constant", description="of the rate within a phase")
    body_scale: float = Field(1.0, gt=0, le=1, description="rate of all but the head, as a share of lr")
    carry: bool = Field(False, description="keep the momentum from task to task instead of starting fresh")
    frozen_stats: bool = Field(False, description="BatchNorm keeps its running statistics in fine-tuning too")

    def tuning(self, epochs: int, trainable: ParamSet = ALL) -> Phase:
        kept = {key: getattr(self, key) for key in Recipe.model_fields}
        return Phase(epochs, trainable, **kept)

    def probing(self, epochs: int, trainable: ParamSet, lr: float, **more: Any) -> Phase:
        recipe: dict[str, Any] = {
            "optimiser": self.optimiser,
            "momentum": self.momentum,
            "loss_over": self.loss_over,
        }
        return Phase(
            epochs, trainable, lr, weight_decay=0.0, frozen_stats=True, counts=False, **recipe, **more
        )


class Finetune(Recipe):
    """Train everything at every task: the plain sequential baseline."""

    name: Literal["finetune"] = "finetune"

    def phases(self, epochs: int, task: int, subsets: Subsets) -> list[Phase]:
        return [self.tuning(epochs)]


class Lpft(Recipe):
    """Probe with the head alone, then fine-tune everything, at every task."""

    name: Literal["lpft"] = "lpft"
    probe_epochs: int = Field(3, ge=1, description="epochs of probing at each task")
    probe_lr: float = Field(0.03, gt=0, description="learning rate of probing")
    head: str = Field("head", description="what is probed: a named subset (head, new, ...) or a pattern")
    budget: Literal["added", "epochs", "compute"] = Field(
        "added",
        description="probing is added to the epochs, taken out of them, or taken out at the third of an "
        "epoch that its forward passes cost",
    )
    first: bool = Field(True, description="probe at the first task too")
    keep: Literal["head", "norm"] = Field(
        "head", description="norm: after probing put the head back, scaled to the norm that probing gave it"
    )

    def phases(self, epochs: int, task: int, subsets: Subsets) -> list[Phase]:
        if task == 0 and not self.first:
            return [self.tuning(epochs)]
        head = named(self.head, subsets)
        probing = self.probing(
            self.probe_epochs, head, self.probe_lr, after="norm" if self.keep == "norm" else "keep"
        )
        return [probing, self.tuning(self.tuned(epochs))]

    def tuned(self, epochs: int) -> int:
        """Epochs that are left for fine-tuning."""
        cost = {"added": 0, "epochs": self.probe_epochs, "compute": round(self.probe_epochs / 3)}
        return epochs - cost[self.budget]

    def fits(self, epochs: int) -> None:
        if self.tuned(epochs) < 1:
            raise ValueError(
                f"schedule.budget={self.budget} takes probe_epochs={self.probe_epochs} "
                f"out of epochs={epochs} and leaves none for fine-tuning; raise epochs or lower "
                "schedule.probe_epochs"
            )


class Probe(Recipe):
    """Train a subset and nothing else: linear probing on features that never change."""

    name: Literal["probe"] = "probe"
    lr: float = Field(0.03, gt=0, description="learning rate")
    head: str = Field("head", description="what is trained: a named subset or a pattern")

    def phases(self, epochs: int, task: int, subsets: Subsets) -> list[Phase]:
        return [self.probing(epochs, named(self.head, subsets), self.lr, decay=self.decay)]


class First(Recipe):
    """Fine-tune at the first task only; later tasks meet frozen features (first-session adaptation).

    Panos et al., arXiv 2303.13199. To be read with a head that needs no gradients: `evaluate=ncm+lda`.
    """

    name: Literal["first"] = "first"

    def phases(self, epochs: int, task: int, subsets: Subsets) -> list[Phase]:
        return [self.tuning(epochs)] if task == 0 else []


class Frozen(Schedule):
    """Train nothing: the network as it was initialised, the control every trained one must beat."""

    name: Literal["frozen"] = "frozen"

    def phases(self, epochs: int, task: int, subsets: Subsets) -> list[Phase]:
        return []


AnySchedule = Finetune | Lpft | Probe | First | Frozen
