"""The systematic comparisons, as grids: `lineshaft sweep continual.tables:seq_cifar10`.

Every method gets learning rates of its own, wide enough that the best one is not at an edge: at one shared
rate LP-FT looks better than it is, because fine-tuning wants a rate ten times lower.
"""

from itertools import product
from typing import Any

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
from lineshaft.continual.schedules import AnySchedule, Finetune, Frozen, Lpft

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
        *((method(),) for method in (Agem, Der, DerPlus, Ewc, Gss, Joint, Lump, Lwf, Pnn, Si)),
    ]
    rows = [Config(methods=m, schedule=s) for m, s in product(methods, (Finetune(), Lpft()))]
    masked = [Config(methods=(Hat(),), schedule=s(loss_over="task")) for s in (Finetune, Lpft)]
    return [*rows, *masked]
