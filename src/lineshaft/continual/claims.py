"""This system's rows of the ledger; values come from the runs' own files."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from lineshaft.engine import Folder
from lineshaft.engine.claims.claim import Claim, Evidence
from lineshaft.engine.summary.stats import paired_interval

STREAM = "continual.stream"
MISSING = "fine-tuning only: replay and regularisation methods are not built yet"


def lpft_minus_finetune(runs: Sequence[Folder], metric: str, beside: Sequence[str]) -> Evidence | None:
    """LP-FT minus fine-tuning on Seq-CIFAR-10 in points of `metric`, paired over seeds.

    The learning rate of each is the one with the best mean validation accuracy over its seeds.
    """
    plain = [run for run in runs if is_plain_cifar10(run.config())]
    comparable = max(alike(plain, but=("seed", "schedule")), key=len, default=[])
    tuned = {name: best(cells(comparable, name)) for name in ("lpft", "finetune")}
    ours, theirs = by_seed(tuned["lpft"]), by_seed(tuned["finetune"])
    seeds = sorted(ours.keys() & theirs.keys())
    if len(seeds) < 2:
        return None
    value, low, high = difference(ours, theirs, seeds, metric)
    also = [f"{other} {difference(ours, theirs, seeds, other)[0]:+.1f}" for other in beside]
    also += [f"untrained {mean(group, metric):.1f}" for group in cells(comparable, "frozen")]
    rates = [f"{name} lr {rate(tuned[name][0])}{edge(comparable, name, tuned[name])}" for name in tuned]
    return Evidence(
        value,
        low,
        high,
        verdict="partly" if low > 0 else "not reproduced",
        runs=[run[seed].id for run in (ours, theirs) for seed in seeds],
        reason=f"against {MISSING}; {', '.join([*also, *rates])}; {len(seeds)} seeds",
    )


def is_plain_cifar10(config: dict[str, Any]) -> bool:
    """Whole Seq-CIFAR-10 with its true labels, nothing relaunched, and the usual form of LP-FT."""
    whole = config["train_size"] is None and config["test_size"] is None and config["labels"] == "true"
    usual = config["parent"] is None and not config["schedule"].get("instead")
    return bool(config["data"] == "cifar10" and whole and usual)


def alike(runs: Sequence[Folder], but: Sequence[str]) -> list[list[Folder]]:
    """The runs in groups whose configurations differ in the fields `but` alone."""
    groups: dict[str, list[Folder]] = defaultdict(list)
    for run in runs:
        groups[str(sorted((key, value) for key, value in run.config().items() if key not in but))].append(run)
    return list(groups.values())


def cells(runs: Sequence[Folder], schedule: str) -> list[list[Folder]]:
    """The runs of a schedule, grouped by everything but the seed."""
    return alike([run for run in runs if run.config()["schedule"]["name"] == schedule], but=("seed",))


def best(groups: list[list[Folder]]) -> list[Folder]:
    """The group with the best mean validation accuracy; a diverged one is never the best."""
    return max(groups, key=lambda group: np.nan_to_num(mean(group, "val/knn_task"), nan=-np.inf), default=[])


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
    lpft_minus_finetune, metric="test/knn_task", beside=("test/knn_class", "forgetting/max")
)
under_probe: Measure = partial(lpft_minus_finetune, metric="test/probe", beside=("test/knn_task",))

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
        "the same runs under a linear probe on 100 images a class",
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
