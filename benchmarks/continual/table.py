"""The tables of `docs/results/README.md` about continual learning, from the kept runs:

    python benchmarks/continual/table.py docs/results

Every cell is the mean of a test metric at the rate that is best for it on validation; a difference is paired
over the seeds that both rows have.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from lineshaft.continual.pairs import rate, tuned
from lineshaft.continual.queries import cifar10, row, self_supervised
from lineshaft.engine.table.table import Table

METRICS = {
    "knn_task": "kNN, task known",
    "knn_class": "kNN, all classes",
    "probe": "probe, 50 a class",
    "fewshot_ft": "few-shot fine-tuning",
    "fewshot_lpft": "few-shot LP-FT",
}
ROWS = {
    "fine-tuning": ("finetune", "", "all"),
    "fine-tuning, task's logits": ("finetune", "", "task"),
    "LP-FT": ("lpft", "", "all"),
    "LP-FT, task's logits": ("lpft", "", "task"),
    **{
        f"{name}{' + LP-FT' if schedule == 'lpft' else ''}": (schedule, name, "all")
        for name in ("si", "der", "lwf", "lump", "agem", "derpp", "joint")
        for schedule in ("finetune", "lpft")
    },
}
PAIRS = (
    ("LP-FT", "fine-tuning"),
    ("LP-FT", "fine-tuning, task's logits"),
    ("LP-FT, task's logits", "fine-tuning, task's logits"),
    ("fine-tuning, task's logits", "fine-tuning"),
    *((f"{name} + LP-FT", name) for name in ("si", "der", "lwf", "lump", "agem", "derpp", "joint")),
    *(("LP-FT", name) for name in ("si", "der", "lwf")),
)


def cell(runs: Table, metric: str) -> str:
    """84.3 (.0001 edge, 5): value, rate, whether the grid ends there, seeds."""
    best = tuned(runs, metric)
    if not len(best):
        return ""
    rates = sorted({rate(Table([run])) for run in runs if "schedule.lr" in run.values})
    lr = f"{rate(best):g}".lstrip("0") if rates else "-"
    edge = " edge" if rates and rate(best) in (rates[0], rates[-1]) else ""
    return f"{best.interval(f'test/{metric}').value:.1f} ({lr}{edge}, {len(best)})"


def difference(ours: Table, theirs: Table, metric: str) -> str:
    a, b = tuned(ours, metric).shared(tuned(theirs, metric))
    if len(a) < 2:
        return f"{a[0].result[f'test/{metric}'] - b[0].result[f'test/{metric}']:+.1f} (1)" if len(a) else ""
    found = a.paired(b, f"test/{metric}")
    return f"{found.value:+.1f} [{found.low:.1f}, {found.high:.1f}] ({len(a)})"


def lines(runs: Table) -> Iterator[list[str]]:
    some = cifar10(runs)
    tables = {name: row(some, *spec) for name, spec in ROWS.items()} | {"untrained": row(some, "frozen")}
    yield ["", *METRICS.values(), "forgetting, kNN", "MB kept", "passes"]
    for name, table in tables.items():
        if len(table):
            best = tuned(table, "knn_task")
            kept = [
                best.interval(key).value for key in ("forgetting/diag", "memory/megabytes", "compute/passes")
            ]
            yield [name, *(cell(table, metric) for metric in METRICS), *(f"{v:.3g}" for v in kept)]
    yield ["", *METRICS.values()]
    for ours, theirs in PAIRS:
        if len(tables[ours]) and len(tables[theirs]):
            found = [difference(tables[ours], tables[theirs], metric) for metric in METRICS]
            yield [f"{ours} - {theirs}", *found]
    blind = self_supervised(runs)
    yield ["SimSiam", "kNN, task known", "kNN, all classes", "probe, 50 a class"]
    for name, schedule in (("fine-tuning", "finetune"), ("LP-FT", "lpft"), ("untrained", "frozen")):
        table = row(blind, schedule)
        yield [name, *(cell(table, metric) for metric in ("knn_task", "knn_class", "probe"))]


def main() -> None:
    for cells in lines(Table.read(Path(sys.argv[1]), "continual.stream").done):
        if not cells[0] or cells[0] == "SimSiam":
            print("\n| " + " | ".join(cells) + " |\n" + "|---" * len(cells) + "|")
        else:
            print("| " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
