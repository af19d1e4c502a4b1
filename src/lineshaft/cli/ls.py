"""`ls`: runs and their states."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from lineshaft.cli.output import plain, print_json, print_table, runs_folder, say
from lineshaft.cli.summary import Experiment, Runs, Where, names
from lineshaft.engine.errors import counted

if TYPE_CHECKING:
    from lineshaft.engine.table.listing import Line

State = Annotated[
    str | None,
    typer.Option(help="new, queued, running, paused, done, failed, diverged, stale; several as a,b"),
]


def ls(
    experiment: Experiment = None,
    state: State = None,
    where: Where = None,
    json: Annotated[bool, typer.Option("--json", help="a list of runs, and nothing else")] = False,
    runs: Runs = None,
) -> None:
    """Runs and their states, as their files tell; marked where diverged, and where the code changed since."""
    from lineshaft.engine.table.listing import listing

    lines = listing(runs_folder(runs), experiment, names(state), where or ())
    if json:
        print_json([line.as_json() for line in lines])
        return
    if lines:
        print_table([cells(line) for line in lines], ["state", "run", "tries", "age", "note"])
    say(counts(lines) if lines else f"no such runs below {runs_folder(runs)}")


def cells(line: "Line") -> list[str]:
    state = " ".join([line.row.state, *line.marks])
    return [state, plain(line.row.id), str(line.attempts), age(line.seconds), plain(line.note)]


def age(seconds: float | None) -> str:
    """`40 s`, `5 min`, `3 h`, `12 d`."""
    if seconds is None:
        return ""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


def counts(lines: Sequence["Line"]) -> str:
    """`20 runs: 18 done, 2 failed; 1 stale`."""
    states = Counter(line.row.state for line in lines)
    marks = Counter(mark for line in lines for mark in line.marks)
    text = f"{counted(len(lines), 'run')}: {', '.join(f'{n} {state}' for state, n in states.most_common())}"
    return text + "".join(f"; {n} {mark}" for mark, n in marks.most_common())
