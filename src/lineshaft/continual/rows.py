"""Rows that tables and claims share: the base of Seq-CIFAR-10, and LP-FT at equal epochs."""

from typing import Any

from lineshaft.continual.evaluate.fewshot import Fewshot
from lineshaft.continual.evaluate.knn import Knn
from lineshaft.continual.evaluate.probe import Probe
from lineshaft.continual.experiments.stream import Config
from lineshaft.continual.methods.agem import Agem
from lineshaft.continual.methods.choices import AnyMethod
from lineshaft.continual.methods.der import Der, DerPlus
from lineshaft.continual.methods.joint import Joint
from lineshaft.continual.methods.lump import Lump
from lineshaft.continual.methods.lwf import Lwf
from lineshaft.continual.methods.si import Si
from lineshaft.continual.schedules import AnySchedule, Finetune, Lpft
from lineshaft.continual.streams.cifar import Cifar10

CIFAR_EVALUATIONS = (Knn(), Probe(), Fewshot(batch=25, lrs=(0.0003, 0.001, 0.003)))
METHODS: tuple[tuple[AnyMethod, ...], ...] = tuple(
    (method(),) for method in (Si, Der, Lwf, Lump, Agem, DerPlus, Joint)
)


def cifar10(**more: Any) -> Config:
    """Seq-CIFAR-10: 5 tasks of 2 classes, ResNet-18 from scratch, 10 epochs a task."""
    return Config(data=Cifar10(), epochs=10, batch=256, evaluate=CIFAR_EVALUATIONS, **more)


def equal_lpft(lr: float, **more: Any) -> Lpft:
    """LP-FT whose 3 epochs of probing come out of the epochs: it trains no longer than others."""
    return Lpft(lr=lr, probe_epochs=3, budget="epochs", **more)


def headline() -> list[AnySchedule]:
    """Fine-tuning and LP-FT at equal epochs, each with the loss over all logits and over the task's own."""
    return [
        *(Finetune(lr=lr) for lr in (0.00003, 0.0001, 0.0003, 0.001, 0.003)),
        *(Finetune(lr=lr, loss_over="task") for lr in (0.003, 0.01, 0.03, 0.1)),
        *(equal_lpft(lr) for lr in (0.0003, 0.001, 0.003, 0.01, 0.03)),
        *(equal_lpft(lr, loss_over="task") for lr in (0.001, 0.003, 0.01, 0.03)),
    ]


def with_methods() -> list[AnySchedule]:
    """The same two at three rates each, for every method; a best rate at an edge is followed further."""
    return [
        *(Finetune(lr=lr) for lr in (0.0003, 0.001, 0.003)),
        *(equal_lpft(lr) for lr in (0.001, 0.003, 0.01)),
    ]


VARIANTS: tuple[tuple[AnyMethod, ...], ...] = (
    *((method(),) for method in (Si, Lwf, Der, DerPlus, Lump)),
    *(
        (method,)
        for method in (Si(strength=5), Lwf(strength=3), Der(alpha=1), DerPlus(beta=1), Lump(alpha=1))
    ),
)
"""Two strengths of each method that has one."""
PLAIN: tuple[tuple[AnyMethod, ...], ...] = ((), (Agem(),), (Joint(),))


def on_a_tenth() -> list[tuple[tuple[AnyMethod, ...], AnySchedule]]:
    """Methods with and without LP-FT, with and without the mask: four trials a cell, two strengths at two
    rates, or four rates where a method has no strength.
    """
    rates: list[tuple[Any, dict[str, Any], tuple[float, ...]]] = [
        (Finetune, {}, (0.001, 0.003, 0.0003, 0.01)),
        (equal_lpft, {}, (0.003, 0.01, 0.001, 0.03)),
        (Finetune, {"loss_over": "task"}, (0.01, 0.03, 0.003, 0.1)),
        (equal_lpft, {"loss_over": "task"}, (0.003, 0.01, 0.001, 0.03)),
    ]
    found = []
    for make, more, lrs in rates:
        found += [(m, make(lr=lr, **more)) for m in VARIANTS for lr in lrs[:2]]
        found += [(m, make(lr=lr, **more)) for m in PLAIN for lr in lrs]
    return found


def self_supervised() -> list[AnySchedule]:
    """SimSiam: fine-tuning, and LP-FT that probes the predictor or everything behind the features."""
    rates = (0.01, 0.03, 0.1)
    heads = ("head", "projector+predictor")
    return [*(Finetune(lr=lr) for lr in rates), *(equal_lpft(lr, head=h) for h in heads for lr in rates)]


def without_predictor() -> list[AnySchedule]:
    """Barlow Twins: LP-FT probes the projector, which is all that lies behind the features."""
    rates = (0.01, 0.03, 0.1)
    return [*(Finetune(lr=lr) for lr in rates), *(equal_lpft(lr) for lr in rates)]
