"""`summary`: runs grouped by what varies, for people, spreadsheets, papers and programs."""

import csv
import io
import math
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lineshaft.cli.output import RUNS_HELP, plain, print_json, print_table, runs_folder, say
from lineshaft.engine.errors import RequestError, counted

if TYPE_CHECKING:
    from lineshaft.engine.table.grouping import Group, Measure
    from lineshaft.engine.table.pair import Comparison
    from lineshaft.engine.table.summary import Summary

FORMATS = ("terminal", "csv", "markdown", "json")
SHOWN = 4
Experiment = Annotated[str | None, typer.Argument(help="SYSTEM.EXPERIMENT (default: all)")]
Where = Annotated[
    list[str] | None, typer.Option("--where", help="key=a,b or key!=a or key<1; may be given again")
]
Tune = Annotated[
    str | None, typer.Option("--tune", help="parameters, a,b: keep the best value of each by the objective")
]
Runs = Annotated[Path | None, typer.Option("--runs", help=RUNS_HELP)]
Table = tuple[list[str], list[list[str]]]


def summary(
    experiment: Experiment = None,
    by: Annotated[
        str | None, typer.Option(help="parameters a,b (default: all that vary, less seeds)")
    ] = None,
    metric: Annotated[str | None, typer.Option(help="final metrics a,b (default: the first few)")] = None,
    tune: Tune = None,
    where: Where = None,
    pair: Annotated[
        tuple[str, str] | None, typer.Option(help="two rows by their words: 'method=a' 'method=b lr=0.1'")
    ] = None,
    style: Annotated[str, typer.Option("--format", help=", ".join(FORMATS))] = "terminal",
    json: Annotated[bool, typer.Option("--json", help="the same as --format json")] = False,
    runs: Runs = None,
) -> None:
    """Mean, n and 95 % interval over seeds of every final metric; nothing diverged is averaged away."""
    from lineshaft.engine.table.read import experiments
    from lineshaft.engine.table.summary import summaries

    if style not in FORMATS:
        raise RequestError(f"--format {style[:40]} is not one of {', '.join(FORMATS)}")
    style = "json" if json else style
    several = experiments(runs_folder(runs)) if experiment is None else []
    if len(several) > 1 and (by or metric or tune or pair or style == "csv"):
        raise RequestError(f"name one experiment: {', '.join(several[:20])}")
    found = summaries(runs_folder(runs), experiment, where or (), names(by), names(tune), names(metric))
    compared = [comparisons(s, pair, bool(metric)) for s in found]
    if style == "json":
        print_json([as_json(s, c) for s, c in zip(found, compared)])
        return
    for each, comparison in zip(found, compared):
        show(each, comparison, style, bool(metric), len(found) > 1)
    if not found:
        say(f"no runs below {runs_folder(runs)}")


def names(text: str | None) -> list[str]:
    return [name for name in (text or "").split(",") if name]


def comparisons(summary: "Summary", pair: tuple[str, str] | None, asked: bool) -> list["Comparison"]:
    from lineshaft.engine.table.pair import chosen, compare

    if pair is None:
        return []
    first, second = (chosen(summary, shlex.split(words)) for words in pair)
    return [compare(first, second, metric, summary.objective) for metric in shown(summary, asked)]


def shown(summary: "Summary", asked: bool) -> list[str]:
    """The metrics asked for, else the objective and what lies nearest to it."""
    from lineshaft.engine.table.cells import headline

    return summary.metrics if asked else headline(summary.metrics, summary.objective, SHOWN)


def show(summary: "Summary", compared: list["Comparison"], style: str, asked: bool, heading: bool) -> None:
    """One experiment; notes follow the table, on standard error where it is for a program."""
    tables = [comparison_table(compared)] if compared else []
    if style == "csv":
        write_csv(tables[0] if tables else csv_table(summary))
        for note in notes(summary, asked=True):
            say(plain(note))
        return
    if heading:
        print(f"## {summary.experiment}\n" if style == "markdown" else summary.experiment)
    for header, rows in [table(summary, shown(summary, asked)), *tables]:
        (write_markdown if style == "markdown" else write_text)(header, rows)
        print()
    for note in notes(summary, asked):
        print(plain(note) + ("\n" if style == "markdown" else ""))


def table(summary: "Summary", metrics: Sequence[str]) -> Table:
    """Parameters, metrics as `88.1 ± 1.2`, number of seeds, what is wrong."""
    header = [*summary.keys, *summary.tuned, *metrics, "n", "note"]
    rows = [
        [
            *(value(group.keys[k]) for k in summary.keys),
            *(tuned_value(group, k) for k in summary.tuned),
            *(interval(group.measure(m), len(group.done)) for m in metrics),
            str(len(group.done)),
            "; ".join(group.faults()),
        ]
        for group in summary.groups
    ]
    if not any(row[-1] for row in rows):
        header, rows = header[:-1], [row[:-1] for row in rows]
    return header, rows


def value(raw: Any) -> str:
    from lineshaft.engine.table.columns import ABSENT
    from lineshaft.engine.table.row import text_of

    return "" if raw == ABSENT else text_of(raw)


def tuned_value(group: "Group", key: str) -> str:
    """The chosen value, with a mark where it lies at the edge of what was tried."""
    if key not in group.tuned:
        return "none yet"
    return value(group.tuned[key]) + ("*" if key in group.edges else "")


def interval(measure: "Measure", done: int) -> str:
    from lineshaft.engine.table.cells import spelled

    if measure.diverged:
        return f"{measure.diverged} of {measure.n} diverged"
    if not measure.n:
        return ""
    text = spelled(measure.mean, (measure.high - measure.low) / 2)
    return text if measure.n == done else f"{text} (n={measure.n})"


def notes(summary: "Summary", asked: bool) -> list[str]:
    """What a reader must know beside the numbers."""
    found = []
    if summary.objective:
        found.append(f"best first by {summary.objective[0]} ({summary.objective[1]})")
    edges = [key for key in summary.tuned if any(key in group.edges for group in summary.groups)]
    if edges:
        found.append(f"* the best value is the least or greatest tried: widen the grid of {', '.join(edges)}")
    if summary.mixed:
        found.append(
            f"rows mix runs that differ in {', '.join(summary.mixed)}: n counts these too, not seeds alone"
        )
    if more := [m for m in summary.metrics if m not in shown(summary, asked)]:
        found.append(f"more with --metric, --format csv or json: {', '.join(more)[:300]}")
    return [*found, *(f"not read: {fault}" for fault in summary.faults)]


def comparison_table(compared: Sequence["Comparison"]) -> Table:
    from lineshaft.engine.table.cells import spelled

    rows = [
        [c.metric, "" if math.isnan(c.mean) else spelled(c.mean, (c.high - c.low) / 2), str(c.n), verdict(c)]
        for c in compared
    ]
    return ["metric", "first - second", "pairs", "verdict"], rows


def verdict(comparison: "Comparison") -> str:
    left = comparison.unpaired
    return comparison.verdict + (f"; {counted(left, 'seed')} without a partner left out" if left else "")


def csv_table(summary: "Summary") -> Table:
    """Everything: each metric with its mean, interval, n and number of diverged seeds."""
    parts = ("", ".low", ".high", ".n", ".diverged")
    header = [*summary.keys, *summary.tuned, *(m + p for m in summary.metrics for p in parts)]
    rows = []
    for group in summary.groups:
        chosen = [value(group.tuned.get(k, "")) for k in summary.tuned]
        row = [*(value(group.keys[k]) for k in summary.keys), *chosen]
        for each in map(group.measure, summary.metrics):
            row += [number(each.mean), number(each.low), number(each.high), str(each.n), str(each.diverged)]
        rows.append([*row, str(len(group.done)), str(len(group.missing)), "; ".join(group.faults())])
    return [*header, "n", "missing", "note"], rows


def number(x: float) -> str:
    return "" if math.isnan(x) else repr(x)


def write_csv(table: Table) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([table[0], *table[1]])
    print(plain(text.getvalue(), keep="\n"), end="")


def write_markdown(header: list[str], rows: list[list[str]]) -> None:
    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(plain(c).replace("|", "\\|") for c in cells) + " |"

    print("\n".join([line(header), line(["---"] * len(header)), *map(line, rows)]))


def write_text(header: list[str], rows: list[list[str]]) -> None:
    print_table([[plain(c) for c in row] for row in rows], [plain(c) for c in header])


def as_json(summary: "Summary", compared: Sequence["Comparison"]) -> dict[str, Any]:
    """The whole summary; `values` holds what rows are grouped by, `tuned` what was chosen for each."""
    from dataclasses import asdict

    return {
        "experiment": summary.experiment,
        "objective": summary.objective and dict(zip(("metric", "direction"), summary.objective)),
        "keys": summary.keys,
        "mixed": summary.mixed,
        "groups": [group_json(group, summary.metrics) for group in summary.groups],
        "comparisons": [asdict(c) for c in compared],
        "faults": summary.faults,
    }


def group_json(group: "Group", metrics: Sequence[str]) -> dict[str, Any]:
    from dataclasses import asdict

    from lineshaft.engine.table.columns import ABSENT

    return {
        "values": {k: v for k, v in group.keys.items() if v != ABSENT},
        "tuned": {k: v for k, v in group.tuned.items() if v != ABSENT},
        "edges": group.edges,
        "passed_over": group.passed_over,
        "n": len(group.done),
        "unfinished": group.unfinished,
        "diverged": group.diverged,
        "missing": [seed[0] if len(seed) == 1 else list(seed) for seed in group.missing],
        "metrics": {m: asdict(each) for m in metrics if (each := group.measure(m)).n},
        "runs": [row.id for row in group.runs],
    }
