"""What the ledger's rows measure: differences, each with the control that could break the claim."""

from collections.abc import Iterable
from dataclasses import replace

from lineshaft.continual.pairs import Pair, best_allowed, compared, counted, edge, rate, told
from lineshaft.continual.queries import SYSTEMS, kind_of, row
from lineshaft.engine.claims.claim import Measured
from lineshaft.engine.claims.verdict import worse
from lineshaft.engine.table.table import Table

RIVALS = ("si", "lwf", "der", "lump", "agem")


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
    at_most, why = best_allowed(ours + theirs, metric)
    reason = f"the weaker is over {name}; {'; '.join(beside)}; {rates}; {len(ours)} seeds, equal epochs{why}"
    return Measured(found, ours + theirs, reason, at_most)


def adapted(runs: Table) -> Measured | None:
    """LP-FT against the weaker rival under few-shot fine-tuning; partly where no strong method does worse.

    The claim has two halves: LP-FT does better than naive fine-tuning, strong methods do worse than it.
    """
    found, naive = against_the_mask(runs, "fewshot_ft"), row(runs, "finetune")
    if found is None:
        return None
    pairs = {method: compared(row(runs, "finetune", method), naive, "fewshot_ft") for method in RIVALS}
    known = {method: pair for method, pair in pairs.items() if pair is not None}
    worse_ones = [method for method, pair in known.items() if pair[2].high < 0]
    beside = [f"{method} over fine-tuning {pair[2]}" for method, pair in known.items()]
    at_most = worse(found.at_most, "exceeded" if worse_ones else "partly")
    both = [f"few-shot LP-FT: {pair}" for pair in [adapted_by_lpft(runs)] if pair]
    return replace(found, reason="; ".join([found.reason, *beside, *both]), at_most=at_most)


def adapted_by_lpft(runs: Table) -> str:
    """LP-FT minus both rivals where the few-shot adaptation is LP-FT too."""
    rivals = {
        "fine-tuning": row(runs, "finetune"),
        "task's logits": row(runs, "finetune", over="task"),
    }
    pairs = {name: compared(row(runs, "lpft"), table, "fewshot_lpft") for name, table in rivals.items()}
    return ", ".join(f"over {name} {pair[2]}" for name, pair in pairs.items() if pair is not None)


def coupled(runs: Table, metrics: Iterable[str] = ("knn_task", "fewshot_ft")) -> Measured | None:
    """The least of the paired differences method + LP-FT minus method, over SI, DER and LwF and metrics."""
    found: dict[str, Pair] = {}
    for metric in metrics:
        for method in ("si", "der", "lwf"):
            pair = compared(row(runs, "lpft", method), row(runs, "finetune", method), metric)
            if pair is None:
                return None
            found[f"{method} {metric}"] = pair
    ours, theirs, interval = min(found.values(), key=lambda pair: pair[2].low)
    reason = "; ".join(f"{name} {told(pair)}" for name, pair in found.items())
    at_most, why = best_allowed(
        Table([run for pair in found.values() for run in pair[0] + pair[1]]), "fewshot_ft"
    )
    return Measured(interval, ours + theirs, f"{reason}; the weakest counts; equal epochs{why}", at_most)


def without_labels(runs: Table) -> Measured | None:
    """LP-FT minus fine-tuning under kNN, of SimSiam or, where it is weaker, of Barlow Twins.

    Nothing where neither learned more than an untrained network has.
    """
    untrained = counted(row(runs, "frozen"), "knn_task")
    trained = runs.by("loss")
    pairs = {name: pretrained(trained.get(name, Table())) for name in ("simsiam", "barlow_twins")}
    known = {name: pair for name, pair in pairs.items() if pair is not None}
    if "simsiam" not in known or not len(untrained):
        return None
    ours, theirs, found = min(known.values(), key=lambda pair: pair[2].low)
    start = untrained.interval("test/knn_task").value
    levels = {name: [mean(table) for table in pair[:2]] for name, pair in known.items()}
    beside = [
        f"{name}: LP-FT {levels[name][0]:.1f}, fine-tuning {levels[name][1]:.1f}, {told(pair)}"
        for name, pair in known.items()
    ]
    reason = f"{'; '.join(beside)}; untrained {start:.1f}; 10 epochs a task; the weaker counts"
    learned = min(min(level) for level in levels.values()) > start
    return Measured(found, ours + theirs, reason, "exceeded" if learned else "not yet measured")


def pretrained(runs: Table) -> Pair | None:
    return compared(row(runs, "lpft"), row(runs, "finetune"), "knn_task")


def mean(runs: Table) -> float:
    return runs.interval("test/knn_task").value


CLOSED = ("test/ncm_class", "test/lda_class", "test/ranpac_class")


def on_scenes(runs: Table) -> Measured | None:
    """LP-FT minus fine-tuning under few-shot fine-tuning; at most partly where a frozen network does better.

    The control: heads in closed form on features that were never trained, against the class accuracy of
    LP-FT's own head and of the same closed forms on its features. The small table has the few-shot probe
    instead, and is never more than partly.
    """
    is_small = any(run.values.get("data.train_size") for run in runs)
    metric = "probe" if is_small else "fewshot_ft"
    pair, frozen = compared(row(runs, "lpft"), row(runs, "finetune"), metric), row(runs, "frozen")
    if pair is None or not len(frozen):
        return None
    ours, theirs, found = pair
    without, trained = (best_closed(table) for table in (frozen, ours))
    beside = [f"fine-tuning {theirs.interval(f'test/{metric}').value:.1f}"]
    beside += [f"frozen {frozen.interval(f'test/{metric}').value:.1f}"]
    beside += [f"class accuracy, best closed form: frozen {without:.1f}, LP-FT {trained:.1f}"]
    beside += (
        ["few images of each class and domain, probe instead of few-shot fine-tuning"] if is_small else []
    )
    allowed, why = best_allowed(ours + theirs, metric)
    at_most = worse(allowed, "exceeded" if trained >= without and not is_small else "partly")
    reason = f"{'; '.join(beside)}; {told(pair)}, equal epochs{why}"
    return Measured(found, ours + theirs, reason, at_most)


def best_closed(runs: Table) -> float:
    """The closed form that is best on validation, its test accuracy; the head too where there is one."""
    keys = [key for key in (*CLOSED, "test/head_class") if all(key in run.result for run in runs)]
    best = max(keys, key=lambda key: runs.interval(key.replace("test/", "val/")).value)
    return runs.interval(best).value


def subset_on_sentiment(runs: Table) -> Measured | None:
    """Probing the task's own subset (masks, capsules, rows of the head) minus the best row without it.

    The control is LP-FT by the head alone on the same network: if that does as well, the subset adds nothing.
    """
    groups = {name: Table([run for run in runs if kind_of(run.values) == name]) for name in SYSTEMS}
    ours = groups.pop("B-CL + LP-FT of the task's subset")
    pairs = {name: compared(ours, table, "head_task") for name, table in groups.items() if len(table)}
    known = {name: pair for name, pair in pairs.items() if pair is not None}
    if "B-CL" not in known or "B-CL + LP-FT of the head" not in known:
        return None
    name, (mine, theirs, found) = min(known.items(), key=lambda item: item[1][2].low)
    beside = [f"over {other} {told(pair)}" for other, pair in known.items()]
    return Measured(
        found, mine + theirs, f"the weakest is over {name}; {'; '.join(beside)}; MiniLM, not BERT"
    )
