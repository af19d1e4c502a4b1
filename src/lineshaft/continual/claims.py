"""This system's rows of the ledger; values come from the runs' own files."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from pydantic import ValidationError

from lineshaft.engine import Folder
from lineshaft.engine.claims.claim import Claim, Evidence
from lineshaft.engine.table.stats import paired_interval

STREAM = "continual.stream"
FEWEST_SEEDS = 3
NEARLY_EQUAL = 1.0
"""Points that count as nearly equal."""
MISSING = "fine-tuning only: replay and regularisation methods are not built yet"


def lpft_minus_finetune(
    runs: Sequence[Folder], metric: str, beside: Sequence[str], margin: float = 0.0
) -> Evidence | None:
    """LP-FT minus fine-tuning on Seq-CIFAR-10 in points of the test metric, paired over seeds.

    The learning rate of each is the one with the best mean of the same metric on validation. Borne out, as
    far as fine-tuning is the rival, if the interval lies above -margin.
    """
    comparable = max(alike(plain_cifar10(runs), but=("seed", "schedule")), key=len, default=[])
    tuned = {name: best(cells(comparable, name), f"val/{metric}") for name in ("lpft", "finetune")}
    ours, theirs = by_seed(tuned["lpft"]), by_seed(tuned["finetune"])
    seeds = sorted(ours.keys() & theirs.keys())
    if len(seeds) < FEWEST_SEEDS:
        return None
    value, low, high = difference(ours, theirs, seeds, f"test/{metric}")
    also = [f"{other} {difference(ours, theirs, seeds, other)[0]:+.1f}" for other in beside]
    also += [f"untrained {mean(group, f'test/{metric}'):.1f}" for group in cells(comparable, "frozen")]
    rates = [f"{name} lr {rate(tuned[name][0])}{edge(comparable, name, tuned[name])}" for name in tuned]
    return Evidence(
        value,
        low,
        high,
        verdict="partly" if low > -margin else "not reproduced",
        runs=[run[seed].id for run in (ours, theirs) for seed in seeds],
        reason=f"against {MISSING}; {', '.join([*also, *rates])}; {len(seeds)} seeds",
    )


def plain_cifar10(runs: Sequence[Folder]) -> list[Folder]:
    """Those on whole Seq-CIFAR-10 with its true labels, nothing relaunched, and the usual form of LP-FT."""
    found = []
    for run in runs:
        try:
            config = settings(run)
        except ValidationError:  # of another time: a parameter it has was removed since
            continue
        whole = config["data"] == "cifar10" and config["train_size"] is None and config["test_size"] is None
        usual = config["parent"] is None and not config["schedule"].get("instead", False)
        if whole and usual and config["labels"] == "true":
            found.append(run)
    return found


def settings(run: Folder) -> dict[str, Any]:
    """The run's parameters, those added since at their defaults."""
    from lineshaft.continual.experiments.stream import Config

    return Config.model_validate(run.config()).model_dump()


def alike(runs: Sequence[Folder], but: Sequence[str]) -> list[list[Folder]]:
    """The runs in groups whose configurations differ in the fields `but` alone."""
    groups: dict[str, list[Folder]] = defaultdict(list)
    for run in runs:
        same = {key: value for key, value in settings(run).items() if key not in but}
        groups[str(sorted(same.items()))].append(run)
    return list(groups.values())


def cells(runs: Sequence[Folder], schedule: str) -> list[list[Folder]]:
    """The runs of a schedule, grouped by everything but the seed."""
    return alike([run for run in runs if run.config()["schedule"]["name"] == schedule], but=("seed",))


def best(groups: list[list[Folder]], metric: str) -> list[Folder]:
    """The group with the best mean of a validation metric; a diverged one is never the best."""
    return max(groups, key=lambda group: np.nan_to_num(mean(group, metric), nan=-np.inf), default=[])


def mean(group: Sequence[Folder], metric: str) -> float:
    return float(np.mean([run.result()[metric] for run in group]))


def rate(run: Folder) -> float:
    return float(run.config()["schedule"]["lr"])


def edge(runs: Sequence[Folder], schedule: str, chosen: list[Folder]) -> str:
    """A warning where the chosen learning rate is the first or last that was tried."""
    tried = sorted({rate(group[0]) for group in cells(runs, schedule)})
    return " (edge of its grid)" if rate(chosen[0]) in (tried[0], tried[-1]) else ""


def by_seed(group: list[Folder]) -> dict[int, Folder]:
    return {int(run.config()["seed"]): run for run in group}


def difference(
    a: dict[int, Folder], b: dict[int, Folder], seeds: Sequence[int], metric: str
) -> tuple[float, float, float]:
    return paired_interval([a[s].result()[metric] for s in seeds], [b[s].result()[metric] for s in seeds])


def not_built(runs: Sequence[Folder]) -> None:
    """No experiment measures this yet."""


Measure = Callable[[Sequence[Folder]], Evidence | None]
under_knn: Measure = partial(
    lpft_minus_finetune, metric="knn_task", beside=("test/knn_class", "forgetting/max")
)
under_probe: Measure = partial(
    lpft_minus_finetune, metric="probe", beside=("test/knn_task",), margin=NEARLY_EQUAL
)

CLAIMS = [
    Claim(
        "continual.knn",
        "LP-FT alone compares favourably with replay and regularisation under kNN",
        "LP-FT minus fine-tuning, points of task-incremental kNN on Seq-CIFAR-10, lr tuned for each on "
        "validation, paired over seeds; LP-FT's epochs of probing come on top of those that both fine-tune",
        STREAM,
        under_knn,
    ),
    Claim(
        "continual.probe",
        "LP-FT is nearly equal or better under few-shot probing and fine-tuning",
        "the same runs under a linear probe on 100 images a class, lr tuned under the probe; nearly equal: "
        "the interval lies above -1 point",
        STREAM,
        under_probe,
    ),
    Claim(
        "continual.couple",
        "LP-FT coupled with SI, DER, LwF maintains or improves them",
        "paired differences of each method with and without probing",
        STREAM,
        not_built,
    ),
    Claim(
        "continual.ssl",
        "LP-FT works with a Siamese network",
        "SimSiam and Barlow Twins streams with and without probing the predictor",
        STREAM,
        not_built,
    ),
    Claim(
        "continual.real",
        "LP-FT scales to real-world data",
        "domain-incremental satellite scenes from a pretrained and a fresh backbone",
        STREAM,
        not_built,
    ),
    Claim(
        "continual.nlp",
        "a variant that probes only the task-specific subset is best on the ASC benchmark",
        "19 aspect-sentiment tasks, adapters with task masks, with and without LP-FT",
        STREAM,
        not_built,
    ),
]
