"""One self-contained HTML page about runs: tables, learning curves, pictures, provenance, the claims ledger.

Nothing on the page asks for anything outside it, and its policy forbids that it ever does.
"""

import inspect
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from lineshaft.engine import experiment as experiments
from lineshaft.engine import ledger
from lineshaft.engine.curves import HEIGHT, LEFT, MOST_CURVES, RIGHT, WIDTH, Plot, plots
from lineshaft.engine.errors import RequestError, nearest
from lineshaft.engine.experiment import Experiment
from lineshaft.engine.groups import Group, grouped, headline
from lineshaft.engine.origin import Fact, computing_time, facts
from lineshaft.engine.pictures import Picture, by_run, pictures
from lineshaft.engine.store import Folder, folders, write

COLUMNS = 6
MOST_ROWS = 200
MOST_FAILURES = 10


@dataclass(frozen=True)
class Section:
    """What the page says about one experiment."""

    name: str
    about: list[str]
    states: list[tuple[str, int]]
    time: str
    objective: tuple[str, str] | None
    groups: list[Group]
    columns: list[str]
    plots: list[Plot]
    pictures: list[tuple[str, list[Picture]]]
    failures: list[tuple[str, str]]
    notes: list[str]
    facts: list[Fact]

    @property
    def total(self) -> int:
        return sum(count for _, count in self.states)

    @property
    def rest(self) -> list[str]:
        """Metrics that the table has no column for."""
        every = dict.fromkeys(m for group in self.groups for m in group.metrics)
        return [m for m in every if m not in self.columns]


def write_report(runs: Path, names: Sequence[str], out: Path) -> Path:
    """The page about the named experiments (all of them where none is named); its absolute path."""
    home = out.resolve()
    if not home.parent.is_dir():
        raise RequestError(f"{home.parent} is no folder: make it, or give --out a path in one that exists")
    write(home, page(runs, names))
    return home


def page(runs: Path, names: Sequence[str]) -> str:
    from jinja2 import Environment, PackageLoader

    sections = [section(name, list(folders(runs, name))) for name in wanted(runs, names)]
    environment = Environment(
        loader=PackageLoader("lineshaft.engine"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["pieces"] = pieces
    return environment.get_template("report.html").render(
        sections=sections,
        claims=ledger.rows(runs),
        made=datetime.now().astimezone(),
        commits=commits(sections),
        width=WIDTH,
        left=LEFT,
        right=WIDTH - RIGHT,
        height=HEIGHT,
        curves=MOST_CURVES,
    )


def wanted(runs: Path, names: Sequence[str]) -> list[str]:
    """The experiments that have runs, in the order of the ledger's systems."""
    here = list(dict.fromkeys(folder.experiment for folder in folders(runs)))
    if not here:
        raise RequestError(f"no runs in {runs}: `lineshaft demo` makes some, --runs names another folder")
    for name in names:
        if name not in here:
            raise RequestError(f"no runs of {name[:80]} in {runs}{nearest(name, here)}")
    return [
        name
        for name in sorted(here, key=lambda name: (ledger.place(name.partition(".")[0]), name))
        if not names or name in names
    ]


def section(name: str, runs: list[Folder]) -> Section:
    """Everything about one experiment; what cannot be read becomes a note."""
    found, note = code_of(name, runs)
    objective = found.config.objective if found else None
    groups, faults = grouped(runs)
    groups.sort(key=lambda group: (-group.score(objective), group.label))
    readable = [folder for group in groups for folder in group.runs]
    states = Counter(folder.state() for folder in readable)
    metrics = list(dict.fromkeys(m for group in groups for m in group.metrics))
    drawn, fault = curves(groups, objective)
    return Section(
        name=name,
        about=about(found),
        states=states.most_common(),
        time=computing_time(readable),
        objective=objective,
        groups=groups[:MOST_ROWS],
        columns=headline(metrics, objective, COLUMNS),
        plots=drawn,
        pictures=list(by_run(pictures(found, groups))),
        failures=[(f.name, last_line(f)) for f in readable if f.error()][:MOST_FAILURES],
        notes=[text for text in (note, fault, *faults, left_out(groups)) if text],
        facts=facts(readable),
    )


def pieces(name: str) -> list[str]:
    """A long name cut where a line may break.

    >>> pieces("test/knn_task")
    ['test/', 'knn_', 'task']
    """
    return re.split(r"(?<=[/_,])", name)


def code_of(name: str, runs: Sequence[Folder]) -> tuple[Experiment | None, str]:
    """The experiment, found by the address its last run was started with; a note where it is not here."""
    addresses = [entries[-1]["experiment"] for folder in runs if (entries := provenance(folder))]
    try:
        return experiments.find(addresses[-1] if addresses else name), ""
    except Exception as error:
        return None, f"The code of {name} is not here, so nothing is said or drawn from it: {error}"


def provenance(folder: Folder) -> list[dict[str, str]]:
    try:
        return folder.provenance()
    except RequestError:
        return []


def curves(groups: Sequence[Group], objective: tuple[str, str] | None) -> tuple[list[Plot], str]:
    try:
        return plots(groups, objective), ""
    except RequestError as error:
        return [], f"No learning curves: {error}"


def about(found: Experiment | None) -> list[str]:
    """The paragraphs that --help shows too."""
    text = inspect.cleandoc(found.config.__doc__ or "") if found else ""
    return [" ".join(paragraph.split()) for paragraph in text.split("\n\n") if paragraph.strip()]


def left_out(groups: Sequence[Group]) -> str:
    many = len(groups) - MOST_ROWS
    return f"{many} more configurations are left out; `lineshaft summary` shows them all." if many > 0 else ""


def last_line(folder: Folder) -> str:
    return folder.error().strip().rpartition("\n")[2][:300]


def commits(sections: Sequence[Section]) -> list[str]:
    """The commits that the runs on the page were computed with."""
    found = [v for s in sections for fact in s.facts if fact.name == "commit" for v, _ in fact.values]
    return list(dict.fromkeys(found))
