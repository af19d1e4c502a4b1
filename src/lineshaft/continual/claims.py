"""This system's rows of the ledger; values come from the runs' own files, each with the control that could
break it.
"""

from collections.abc import Callable
from functools import partial

from lineshaft.engine.claims.claim import Claim, Measured
from lineshaft.engine.claims.verdict import AtLeast
from lineshaft.engine.table.table import Interval, Table

STREAM = "continual.stream"
FEWEST_SEEDS = 3
NEARLY_EQUAL = 1.0
"""Points that count as nearly equal."""
FREE = ("seed", "schedule", "methods", "evaluate", "data_seed")
RIVALS = ("si", "lwf", "der", "lump", "agem")


def cifar10(runs: Table) -> Table:
    """Seq-CIFAR-10 as its table has it: ResNet-18, labels, 10 epochs, whatever the schedule and the
    method.
    """
    from lineshaft.continual.rows import cifar10 as config

    return at_equal_epochs(runs.like(config(), FREE))


def sat7(runs: Table) -> Table:
    """Aerial scenes from ImageNet weights, split by source file."""
    from lineshaft.continual.tables import sat7 as rows

    return at_equal_epochs(runs.like(rows()[0], (*FREE, "batch")))


def self_supervised(runs: Table) -> Table:
    from lineshaft.continual.tables import seq_cifar10_self_supervised as rows

    return at_equal_epochs(runs.like(rows()[0], FREE))


def at_equal_epochs(runs: Table) -> Table:
    """Without LP-FT whose probing was added to the epochs or kept its norm alone."""
    usual = {"schedule.budget": "epochs", "schedule.keep": "head"}
    return Table([run for run in runs if all(run.values.get(k, v) == v for k, v in usual.items())])


def row(runs: Table, schedule: str, methods: str = "", over: str = "all") -> Table:
    """The runs of one schedule, one list of methods (`si`) and one choice of logits in the loss."""
    found = [run for run in runs if run.values.get("schedule") == schedule]
    found = [run for run in found if (run.values.get("methods") or "") == methods]
    return Table([run for run in found if run.values.get("schedule.loss_over", "all") == over])


def compared(ours: Table, theirs: Table, metric: str) -> tuple[Table, Table, Interval] | None:
    """Both at the rate that is best for them on validation; the difference on test, paired over seeds."""
    a, b = ours.best(f"val/{metric}").shared(theirs.best(f"val/{metric}"))
    if len(a) < FEWEST_SEEDS:
        return None
    return a, b, a.paired(b, f"test/{metric}")


def against_the_mask(runs: Table, metric: str) -> Measured | None:
    """LP-FT minus the better of fine-tuning and fine-tuning with the loss over the task's logits alone.

    The second is the control that decides: it costs nothing and needs no probing. The weaker of the two
    intervals is the value, and LP-FT over the mask, replay and regularisation are told beside it.
    """
    lpft = row(runs, "lpft")
    pairs = {
        "fine-tuning": compared(lpft, row(runs, "finetune"), metric),
        "fine-tuning, task's logits": compared(lpft, row(runs, "finetune", over="task"), metric),
    }
    if None in pairs.values():
        return None
    known = {name: pair for name, pair in pairs.items() if pair is not None}
    name, (ours, theirs, found) = min(known.items(), key=lambda item: item[1][2].low)
    beside = [f"over {other} {pair[2]}" for other, pair in known.items()]
    masked = compared(row(runs, "lpft", over="task"), row(runs, "finetune", over="task"), metric)
    beside += [f"LP-FT + mask over the mask {masked[2]}"] if masked else []
    for method in RIVALS:
        if (pair := compared(lpft, row(runs, "finetune", method), metric)) is not None:
            beside.append(f"over {method} {pair[2]}")
    rates = f"lr {rate(ours)}{edge(lpft, ours)} and {rate(theirs)}"
    reason = f"the weaker is over {name}; {'; '.join(beside)}; {rates}; {len(ours)} seeds, equal epochs"
    return Measured(found, ours + theirs, reason)


def lpft_minus_finetune(runs: Table, metric: str) -> Measured | None:
    """LP-FT minus fine-tuning, and what heads that need no training of the body reach."""
    pair = compared(row(runs, "lpft"), row(runs, "finetune"), metric)
    if pair is None:
        return None
    ours, theirs, found = pair
    beside = [f"fine-tuning {theirs.interval(f'test/{metric}').value:.1f}"]
    frozen = row(runs, "frozen")
    for key in (f"test/{metric}", "test/ncm_class", "test/lda_class", "test/ranpac_class"):
        if len(frozen) and all(key in run.result for run in frozen):
            beside.append(f"frozen {key[5:]} {frozen.interval(key).value:.1f}")
    reason = f"{'; '.join(beside)}; lr {rate(ours)}{edge(row(runs, 'lpft'), ours)} and {rate(theirs)}"
    return Measured(found, ours + theirs, f"{reason}; {len(ours)} seeds, equal epochs")


def coupled(runs: Table, metric: str) -> Measured | None:
    """The least of the paired differences method + LP-FT minus method, over SI, DER and LwF."""
    found = {}
    for method in ("si", "der", "lwf"):
        pair = compared(row(runs, "lpft", method), row(runs, "finetune", method), metric)
        if pair is None:
            return None
        found[method] = pair
    least = min(found, key=lambda method: found[method][2].low)
    ours, theirs, interval = found[least]
    reason = "; ".join(f"{method} {pair[2]}" for method, pair in found.items())
    return Measured(interval, ours + theirs, f"{reason}; the weakest counts; {len(ours)} seeds, equal epochs")


def rate(runs: Table) -> float:
    return float(runs[0].values["schedule.lr"])


def edge(tried: Table, chosen: Table) -> str:
    """A warning where the chosen learning rate is the first or last that was tried."""
    rates = list(tried.by("schedule.lr"))
    return " (edge of its grid)" if rate(chosen) in (rates[0], rates[-1]) else ""


Measure = Callable[[Table], Measured | None]
under_knn: Measure = partial(against_the_mask, metric="knn_task")
under_few_shots: Measure = partial(against_the_mask, metric="fewshot_ft")
with_methods: Measure = partial(coupled, metric="knn_task")
on_scenes: Measure = partial(lpft_minus_finetune, metric="fewshot_ft")
without_labels: Measure = partial(lpft_minus_finetune, metric="knn_task")

CLAIMS = [
    Claim(
        id="continual.knn",
        text="under kNN, LP-FT alone forgets less than fine-tuning and compares well with strong methods",
        how="LP-FT minus fine-tuning with and without the loss over the task's logits (the control), points "
        "of task-incremental kNN on Seq-CIFAR-10, equal epochs, lr tuned on validation, paired over seeds",
        experiment=STREAM,
        query=cifar10,
        measure=under_knn,
        verdict=AtLeast(0),
    ),
    Claim(
        id="continual.probe",
        text="under few-shot fine-tuning of the final representation LP-FT is nearly equal or better",
        how="the same runs and the same control under few-shot fine-tuning, 50 images a class; nearly equal: "
        "the interval lies above -1 point",
        experiment=STREAM,
        query=cifar10,
        measure=under_few_shots,
        verdict=AtLeast(-NEARLY_EQUAL),
    ),
    Claim(
        id="continual.couple",
        text="LP-FT coupled with SI, DER, LwF maintains or improves them",
        how="paired differences of each method with and without LP-FT at equal epochs, Seq-CIFAR-10, kNN",
        experiment=STREAM,
        query=cifar10,
        measure=with_methods,
        verdict=AtLeast(-NEARLY_EQUAL),
    ),
    Claim(
        id="continual.ssl",
        text="LP-FT works with a Siamese network",
        how="SimSiam on Seq-CIFAR-10 with and without probing the predictor, equal epochs, one learning rate",
        experiment=STREAM,
        query=self_supervised,
        measure=without_labels,
        verdict=AtLeast(-NEARLY_EQUAL),
    ),
    Claim(
        id="continual.real",
        text="LP-FT scales to real-world data",
        how="LP-FT minus fine-tuning from ImageNet weights on aerial scenes in five domains, split by source "
        "file, few-shot fine-tuning of the final representation; beside frozen features under closed forms",
        experiment=STREAM,
        query=sat7,
        measure=on_scenes,
        verdict=AtLeast(0),
    ),
    Claim(
        id="continual.nlp",
        text="a variant that probes only the task-specific subset is best on the ASC benchmark",
        how="19 aspect-sentiment tasks, adapters with task masks, with and without LP-FT",
        experiment=STREAM,
    ),
]
