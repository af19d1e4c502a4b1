"""Schedules: what is trained at each task, in which order, and for how long.

LP-FT (Kumar et al., "Fine-tuning can distort pretrained features and underperform out-of-distribution",
arXiv 2202.10054; on a stream of tasks: "Improving representational continuity with supervised continued
pretraining", arXiv 2302.13289): first train the head alone on frozen features (linear probing), then
everything (fine-tuning). A head that already fits sends smaller gradients into the body: less is distorted.
Not to be confused with probing as an EVALUATION, which throws its head away.
"""

from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from lineshaft.continual.paramset import ALL, HEAD, ParamSet
from lineshaft.engine import Part


@dataclass(frozen=True)
class Phase:
    """A number of epochs over one task with one set of trainable parameters and one learning rate.

    batchnorm "eval": running statistics are used and left alone, so that what is frozen stays bit-identical.
    """

    epochs: int
    trainable: ParamSet
    lr: float
    batchnorm: Literal["train", "eval"] = "train"


class Finetune(Part):
    """Train everything at every task: the plain sequential baseline."""

    name: Literal["finetune"] = "finetune"
    lr: float = Field(0.001, gt=0, description="learning rate")

    def phases(self, epochs: int) -> list[Phase]:
        return [Phase(epochs, ALL, self.lr)]


class Lpft(Part):
    """Probe with the head alone, then fine-tune everything, at every task."""

    name: Literal["lpft"] = "lpft"
    lr: float = Field(0.001, gt=0, description="learning rate of fine-tuning")
    probe_epochs: int = Field(3, ge=1, description="epochs of probing at each task")
    probe_lr: float = Field(0.03, gt=0, description="learning rate of probing")
    instead: bool = Field(
        False, description="take the probing epochs out of the epochs instead of adding them"
    )

    def phases(self, epochs: int) -> list[Phase]:
        tuned = epochs - self.probe_epochs if self.instead else epochs
        return [Phase(self.probe_epochs, HEAD, self.probe_lr, "eval"), Phase(tuned, ALL, self.lr)]


class Frozen(Part):
    """Train nothing: the network as it was initialised, the control every trained one must beat."""

    name: Literal["frozen"] = "frozen"

    def phases(self, epochs: int) -> list[Phase]:
        return []


Schedule = Finetune | Lpft | Frozen
