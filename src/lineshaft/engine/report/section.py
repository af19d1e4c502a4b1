"""What a report says about one experiment, gathered; whatever cannot be read becomes a note, never an end."""

import inspect
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from lineshaft.engine.report.curves import Plot, plots, read
from lineshaft.engine.report.origin import Fact, computing_time, facts, faults
from lineshaft.engine.report.pictures import Picture, by_run, pictures
from lineshaft.engine.spec.experiment import Experiment, find
from lineshaft.engine.table.cells import headline
from lineshaft.engine.table.completion import address
from lineshaft.engine.table.grouping import Group
from lineshaft.engine.table.listing import note
from lineshaft.engine.table.summary import Summary

COLUMNS = 6
MOST_GROUPS = 200
MOST_FAILURES = 10


@dataclass(frozen=True)
class Section:
    """One experiment of the page: its table, curves, pictures and provenance."""

    name: str
    about: list[str]
    states: list[tuple[str, int]]
    time: str
    objective: tuple[str, str] | None
    groups: list[Group]
    columns: list[str]
    rest: list[str]
    plots: list[Plot]
    pictures: list[tuple[str, list[Picture]]]
    failures: list[tuple[str, str]]
    notes: list[str]
    facts: list[Fact]

    @property
    def total(self) -> int:
        return sum(count for _, count in self.states)


def section(summary: Summary) -> Section:
    """One experiment, its groups ordered from best to worst."""
    rows = [row for group in summary.groups for row in group.runs]
    runs = [row.folder for row in rows]
    code, missing = code_of(summary)
    logs, unread = read(summary.groups)
    columns = headline(summary.metrics, summary.objective, COLUMNS)
    failed = [row for row in rows if row.state == "failed"]
    return Section(
        name=summary.experiment,
        about=about(code),
        states=Counter(row.state for row in rows).most_common(),
        time=computing_time(runs),
        objective=summary.objective,
        groups=summary.groups[:MOST_GROUPS],
        columns=columns,
        rest=[metric for metric in summary.metrics if metric not in columns],
        plots=plots(logs, summary.objective),
        pictures=list(by_run(pictures(code, summary.groups))),
        failures=[(row.folder.name, note(row)) for row in failed[:MOST_FAILURES]],
        notes=[
            text
            for text in (missing, *unread, *summary.faults, *faults(runs), left_out(summary.groups))
            if text
        ],
        facts=facts(runs),
    )


def code_of(summary: Summary) -> tuple[Experiment | None, str]:
    """The experiment, where its code is here and can be imported; else a note."""
    rows = [row for group in summary.groups for row in group.runs]
    try:
        return (find(address(rows)) if rows else None), ""
    except Exception as error:
        return None, f"The code of {summary.experiment} cannot be used, so nothing is drawn by it: {error}"


def about(code: Experiment | None) -> list[str]:
    """The paragraphs that --help shows too."""
    text = inspect.cleandoc(code.config.__doc__ or "") if code else ""
    return [" ".join(paragraph.split()) for paragraph in text.split("\n\n") if paragraph.strip()]


def left_out(groups: Sequence[Group]) -> str:
    many = len(groups) - MOST_GROUPS
    return f"{many} more configurations are left out; `lineshaft summary` shows them all." if many > 0 else ""
