"""The systematic comparisons, as grids: `lineshaft sweep continual.tables:seq_cifar10`.

Every method gets learning rates of its own, wide enough that the best one is not at an edge: at one shared
rate LP-FT looks better than it is, because fine-tuning wants a rate ten times lower.
"""

from itertools import product
from typing import Any

from lineshaft.continual.augment import TwoViews
from lineshaft.continual.backbones.efficientnet import EfficientnetLite0
from lineshaft.continual.backbones.minilm import Minilm
from lineshaft.continual.evaluate.closed import Lda, Ncm, Ranpac
from lineshaft.continual.evaluate.fewshot import Fewshot
from lineshaft.continual.evaluate.head import Head
from lineshaft.continual.evaluate.knn import Knn
from lineshaft.continual.evaluate.probe import Probe
from lineshaft.continual.experiments.stream import Config
from lineshaft.continual.methods.agem import Agem
from lineshaft.continual.methods.choices import AnyMethod
from lineshaft.continual.methods.der import Der, DerPlus
from lineshaft.continual.methods.ewc import Ewc
from lineshaft.continual.methods.gss import Gss
from lineshaft.continual.methods.hat import Hat
from lineshaft.continual.methods.joint import Joint
from lineshaft.continual.methods.lump import Lump
from lineshaft.continual.methods.lwf import Lwf
from lineshaft.continual.methods.pnn import Pnn
from lineshaft.continual.methods.si import Si
from lineshaft.continual.methods.slca import Slca
from lineshaft.continual.objectives.barlow_twins import BarlowTwins
from lineshaft.continual.objectives.simsiam import SimSiam
from lineshaft.continual.rows import (
    CIFAR_EVALUATIONS,
    METHODS,
    cifar10,
    equal_lpft,
    headline,
    on_a_tenth,
    self_supervised,
    with_methods,
    without_predictor,
)
from lineshaft.continual.schedules import AnySchedule, Finetune, First, Frozen, Lpft
from lineshaft.continual.schedules import Probe as ProbeAlone
from lineshaft.continual.streams.cifar import Cifar10, Cifar100
from lineshaft.continual.streams.satellite import Sat7
from lineshaft.continual.streams.text import Asc19

DIGITS_PROBING: dict[str, Any] = {"probe_epochs": 10, "probe_lr": 0.1}  # small features, small gradients


def digits() -> list[Config]:
    """Fine-tuning, LP-FT over their learning rates, the untrained network; 5 seeds, about a second a run."""
    schedules: list[AnySchedule] = [
        *(Finetune(lr=lr) for lr in (0.0001, 0.0003, 0.001, 0.003, 0.01)),
        *(Lpft(lr=lr, **DIGITS_PROBING) for lr in (0.0003, 0.001, 0.003, 0.01, 0.03)),
        Frozen(),
    ]
    return [Config(schedule=schedule, seed=seed) for schedule, seed in product(schedules, range(5))]


def digits_methods() -> list[Config]:
    """Every method of this package with and without LP-FT, at the defaults; under 2 minutes on two cores."""
    methods: list[tuple[AnyMethod, ...]] = [
        (),
        *((method(),) for method in (Agem, Der, DerPlus, Ewc, Gss, Joint, Lump, Lwf, Pnn, Si, Slca)),
    ]
    rows = [Config(methods=m, schedule=s) for m, s in product(methods, (Finetune(), Lpft()))]
    masked = [Config(methods=(Hat(),), schedule=s(loss_over="task")) for s in (Finetune, Lpft)]
    return [*rows, *masked]


def seq_cifar10() -> list[Config]:
    """The four rows that decide the claim over their learning rates, 3 seeds, and the untrained network."""
    rows = [cifar10(schedule=s, seed=seed) for seed, s in product(range(3), headline())]
    return [*rows, *(cifar10(schedule=Frozen(), seed=seed) for seed in range(3))]


def seq_cifar10_more_seeds() -> list[Config]:
    """Two further seeds of the four rows, so that they have five."""
    return [cifar10(schedule=s, seed=seed) for seed, s in product((3, 4), headline())]


def seq_cifar100() -> list[Config]:
    """The same four rows on 20 tasks of 5 classes, 3 seeds."""
    return [
        cifar10(schedule=s, seed=seed).model_copy(update={"data": Cifar100()})
        for seed, s in product(range(3), headline())
    ]


def seq_cifar10_methods() -> list[Config]:
    """Every method with fine-tuning and with LP-FT at equal epochs, three learning rates each, 3 seeds."""
    return [
        cifar10(methods=methods, schedule=schedule, seed=seed)
        for seed, methods, schedule in product(range(3), METHODS, with_methods())
    ]


def seq_cifar10_methods_small() -> list[Config]:
    """Every method on a tenth of the rows, its strength and rate tuned jointly, with and without LP-FT, with
    and without the mask, 3 seeds.
    """
    more: dict[str, Any] = {"data": Cifar10(train_size=500), "epochs": 10, "batch": 64}
    return [
        Config(methods=methods, schedule=schedule, seed=seed, evaluate=(Knn(), Probe()), **more)
        for seed, (methods, schedule) in product(range(3), on_a_tenth())
    ]


def seq_cifar10_self_supervised() -> list[Config]:
    """SimSiam, then Barlow Twins, with and without LP-FT on what lies behind the features, at equal epochs;
    3 seeds.
    """
    more: dict[str, Any] = {"data": Cifar10(), "augment": TwoViews(), "batch": 256}
    simsiam = product((SimSiam(),), range(3), self_supervised())
    barlow = product((BarlowTwins(),), range(3), without_predictor())
    return [
        Config(loss=loss, schedule=s, epochs=10, evaluate=(Knn(), Probe()), seed=seed, **more)
        for loss, seed, s in (*simsiam, *barlow)
    ]


def seq_cifar10_sizes() -> list[Config]:
    """The four rows on a tenth and on a third of the training rows, two learning rates each, 3 seeds."""
    schedules: list[AnySchedule] = [
        *(Finetune(lr=lr) for lr in (0.0003, 0.001)),
        *(Finetune(lr=lr, loss_over="task") for lr in (0.01, 0.03)),
        *(equal_lpft(lr) for lr in (0.003, 0.01)),
        *(equal_lpft(lr, loss_over="task") for lr in (0.003, 0.01)),
    ]
    return [
        Config(
            data=Cifar10(train_size=size),
            schedule=s,
            epochs=10,
            batch=64,
            evaluate=CIFAR_EVALUATIONS,
            seed=seed,
        )
        for seed, size, s in product(range(3), (500, 1500), schedules)
    ]


SCENES = (
    Knn(),
    Probe(shots=10),
    Head(),
    Ncm(),
    Lda(),
    Ranpac(),
    Fewshot(shots=10, batch=25, lrs=(0.001, 0.003, 0.01)),
)


def sat7() -> list[Config]:
    """Aerial scenes in five domains from ImageNet weights, split by source file; 3 orders of domains.

    Beside fine-tuning and LP-FT: both with BatchNorm's statistics frozen, a linear probe alone, a slow body
    with classifier alignment, adaptation to the first domain, and frozen features, each also under heads in
    closed form.
    """
    more: dict[str, Any] = {"data": Sat7(split="block"), "backbone": EfficientnetLite0(), "epochs": 10}
    schedules: list[tuple[AnySchedule, tuple[AnyMethod, ...]]] = [
        *((Finetune(lr=lr), ()) for lr in (0.001, 0.003, 0.01, 0.03)),
        *((equal_lpft(lr), ()) for lr in (0.001, 0.003, 0.01, 0.03)),
        (Frozen(), ()),
        (ProbeAlone(lr=0.03), ()),
        (First(lr=0.003), ()),
        *((Finetune(lr=lr, body_scale=0.1), (Slca(),)) for lr in (0.01, 0.03)),
        *((Finetune(lr=lr, frozen_stats=True), ()) for lr in (0.003, 0.01)),
        *((equal_lpft(lr, frozen_stats=True), ()) for lr in (0.003, 0.01)),
    ]
    return [
        Config(schedule=s, methods=m, batch=128, evaluate=SCENES, seed=seed, **more)
        for seed, (s, m) in product(range(3), schedules)
    ]


def sat7_small() -> list[Config]:
    """The same scenes with 20 images of each class and domain and 5 epochs: minutes a run on one core."""
    evaluate = (Knn(), Probe(shots=10), Head(), Ncm(), Lda(), Ranpac(width=2000))
    more: dict[str, Any] = {
        "data": Sat7(split="block", train_size=20, test_size=20),
        "backbone": EfficientnetLite0(),
        "epochs": 5,
        "batch": 32,
        "evaluate": evaluate,
    }
    schedules: list[AnySchedule] = [
        *(s for lr in (0.003, 0.01) for s in (Finetune(lr=lr), Lpft(lr=lr, probe_epochs=2, budget="epochs"))),
        Frozen(),
    ]
    return [Config(schedule=s, seed=seed, **more) for seed, s in product(range(3), schedules)]


def asc19() -> list[Config]:
    """19 aspect-sentiment tasks in three of the benchmark's orders, adapters in MiniLM: one after the other,
    with masks, with masks and capsules (B-CL), and B-CL with LP-FT by the head and by the task's own subset.
    """
    plain, capsules = Minilm(), Minilm(capsules=3)
    hat: tuple[AnyMethod, ...] = (Hat(),)
    more: dict[str, Any] = {"optimiser": "adam", "loss_over": "task"}
    text: dict[str, Any] = {"data": Asc19(), "epochs": 10, "batch": 64, "evaluate": (Head(),)}
    found: list[Config] = []
    for seed, lr in product(range(3), (0.0003, 0.001, 0.003)):
        tuned = Finetune(lr=lr, **more)
        head, own = (equal_lpft(lr, head=h, probe_lr=0.003, **more) for h in ("head", "task"))
        rows: list[tuple[Minilm, AnySchedule, tuple[AnyMethod, ...]]] = [
            (plain, tuned, ()),
            (plain, head, ()),
            (plain, tuned, hat),
            (capsules, tuned, hat),
            (capsules, head, hat),
            (capsules, own, hat),
        ]
        found += [Config(backbone=b, schedule=s, methods=m, seed=seed, **text) for b, s, m in rows]
    return found
