"""The systematic comparisons, as grids: `lineshaft sweep continual.tables:seq_cifar10`.

Every method gets learning rates of its own, wide enough that the best one is not at an edge: at one shared
rate LP-FT looks better than it is, because fine-tuning wants a rate ten times lower.
"""

from itertools import product
from typing import Any

from lineshaft.continual.experiments.stream import Config
from lineshaft.continual.phases import Finetune, Frozen, Lpft, Schedule

CIFAR10: dict[str, Any] = {"data": "cifar10", "epochs": 10, "batch": 256}
DIGITS_PROBING: dict[str, Any] = {"probe_epochs": 10, "probe_lr": 0.1}  # small features, small gradients


def digits() -> list[Config]:
    """Fine-tuning, LP-FT over their learning rates, the untrained network; 5 seeds, about a second a run."""
    schedules: list[Schedule] = [
        *(Finetune(lr=lr) for lr in (0.0001, 0.0003, 0.001, 0.003, 0.01)),
        *(Lpft(lr=lr, **DIGITS_PROBING) for lr in (0.0003, 0.001, 0.003, 0.01, 0.03)),
        Frozen(),
    ]
    return [Config(schedule=schedule, seed=seed) for schedule, seed in product(schedules, range(5))]


def seq_cifar10() -> list[Config]:
    """Seq-CIFAR-10, 10 epochs a task, 3 seeds: fine-tuning and both forms of LP-FT over their learning rates,
    the untrained network, and labels with nothing to learn. 45 runs; those of the claims come first."""
    compared: list[Schedule] = [
        *(Finetune(lr=lr) for lr in (0.00001, 0.00003, 0.0001, 0.0003, 0.001)),
        *(Lpft(lr=lr) for lr in (0.001, 0.003, 0.01, 0.03)),
    ]
    instead = [Lpft(lr=lr, instead=True) for lr in (0.001, 0.003, 0.01, 0.03)]
    control = {"schedule": Lpft(lr=0.003), "labels": "shuffled"}
    seeds = range(3)
    return [
        *(Config(schedule=schedule, seed=seed, **CIFAR10) for schedule, seed in product(compared, seeds)),
        *(Config(schedule=Frozen(), seed=seed, **CIFAR10) for seed in seeds),
        *(Config(seed=seed, **control, **CIFAR10) for seed in seeds),
        *(Config(schedule=schedule, seed=seed, **CIFAR10) for schedule, seed in product(instead, seeds)),
    ]
