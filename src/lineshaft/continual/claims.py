"""This system's rows of the ledger; values come from the runs' own files."""

from collections.abc import Callable, Sequence
from functools import partial

from lineshaft.engine.claims.claim import Claim, Measured
from lineshaft.engine.claims.verdict import AtLeast
from lineshaft.engine.table.table import Table

STREAM = "continual.stream"
FEWEST_SEEDS = 3
NEARLY_EQUAL = 1.0
"""Points that count as nearly equal."""
MISSING = "fine-tuning only: replay and regularisation methods are not built yet"


def cifar10(runs: Table) -> Table:
    """Whole Seq-CIFAR-10 as its table has it, whatever the schedule; the usual form of LP-FT.

    Several numbers of epochs and the like are several comparisons: the one with the most runs counts.
    """
    from lineshaft.continual.experiments.stream import Config
    from lineshaft.continual.streams.cifar import Cifar10

    free = ("seed", "schedule", "epochs", "batch", "evaluate", "data_seed")
    plain = runs.like(Config(data=Cifar10()), free)
    usual = Table([run for run in plain if run.values.get("schedule.budget") in (None, "added")])
    return usual.apart("seed", "schedule")[0] if usual else usual


def lpft_minus_finetune(runs: Table, metric: str, beside: Sequence[str]) -> Measured | None:
    """LP-FT minus fine-tuning on Seq-CIFAR-10 in points of the test metric, paired over seeds.

    The learning rate of each is the one with the best mean of the same metric on validation. At most "partly"
    while fine-tuning is the only rival.
    """
    tried = {name: runs.where(f"schedule={name}") for name in ("lpft", "finetune", "frozen")}
    ours, theirs = tried["lpft"].best(f"val/{metric}"), tried["finetune"].best(f"val/{metric}")
    ours, theirs = ours.shared(theirs)
    if len(ours) < FEWEST_SEEDS:
        return None
    also = [f"{other} {ours.paired(theirs, other).value:+.1f}" for other in beside]
    also += [f"untrained {group.interval(f'test/{metric}').value:.1f}" for group in tried["frozen"].apart()]
    rates = [
        f"{name} lr {rate(best)}{edge(tried[name], best)}"
        for name, best in (("lpft", ours), ("finetune", theirs))
    ]
    reason = f"against {MISSING}; {', '.join([*also, *rates])}; {len(ours)} seeds"
    return Measured(ours.paired(theirs, f"test/{metric}"), ours + theirs, reason, at_most="partly")


def rate(runs: Table) -> float:
    return float(runs[0].values["schedule.lr"])


def edge(tried: Table, chosen: Table) -> str:
    """A warning where the chosen learning rate is the first or last that was tried."""
    rates = list(tried.by("schedule.lr"))
    return " (edge of its grid)" if rate(chosen) in (rates[0], rates[-1]) else ""


Measure = Callable[[Table], Measured | None]
under_knn: Measure = partial(
    lpft_minus_finetune, metric="knn_task", beside=("test/knn_class", "forgetting/max")
)
under_probe: Measure = partial(lpft_minus_finetune, metric="probe", beside=("test/knn_task",))

CLAIMS = [
    Claim(
        id="continual.knn",
        text="LP-FT alone compares favourably with replay and regularisation under kNN",
        how="LP-FT minus fine-tuning, points of task-incremental kNN on Seq-CIFAR-10, lr tuned for each on "
        "validation, paired over seeds; LP-FT's epochs of probing come on top of those that both fine-tune",
        experiment=STREAM,
        query=cifar10,
        measure=under_knn,
        verdict=AtLeast(0),
    ),
    Claim(
        id="continual.probe",
        text="LP-FT is nearly equal or better under few-shot probing and fine-tuning",
        how="the same runs under a linear probe on 100 images a class, lr tuned under the probe; nearly "
        "equal: the interval lies above -1 point",
        experiment=STREAM,
        query=cifar10,
        measure=under_probe,
        verdict=AtLeast(-NEARLY_EQUAL),
    ),
    Claim(
        id="continual.couple",
        text="LP-FT coupled with SI, DER, LwF maintains or improves them",
        how="paired differences of each method with and without probing",
        experiment=STREAM,
    ),
    Claim(
        id="continual.ssl",
        text="LP-FT works with a Siamese network",
        how="SimSiam and Barlow Twins streams with and without probing the predictor",
        experiment=STREAM,
    ),
    Claim(
        id="continual.real",
        text="LP-FT scales to real-world data",
        how="domain-incremental satellite scenes from a pretrained and a fresh backbone",
        experiment=STREAM,
    ),
    Claim(
        id="continual.nlp",
        text="a variant that probes only the task-specific subset is best on the ASC benchmark",
        how="19 aspect-sentiment tasks, adapters with task masks, with and without LP-FT",
        experiment=STREAM,
    ),
]
