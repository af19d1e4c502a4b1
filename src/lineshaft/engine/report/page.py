"""One self-contained HTML page about runs: tables, learning curves, pictures, provenance, the claims ledger.

Nothing on the page asks for anything outside it, and its policy forbids that it ever does.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from lineshaft.engine.claims import ledger
from lineshaft.engine.errors import RequestError, nearest
from lineshaft.engine.report.curves import HEIGHT, LEFT, MOST_CURVES, RIGHT, WIDTH
from lineshaft.engine.report.section import Section, section
from lineshaft.engine.run.store import write
from lineshaft.engine.table.cells import cell, label
from lineshaft.engine.table.summary import Summary, summaries


def write_report(runs: Path, names: Sequence[str], out: Path) -> Path:
    """The page about the named experiments (all of them where none is named); its absolute path."""
    home = out.resolve()
    if not home.parent.is_dir():
        raise RequestError(f"{home.parent} is not a folder: make it, or give --out a path in one that exists")
    write(home, page(runs, names))
    return home


def page(runs: Path, names: Sequence[str]) -> str:
    from jinja2 import Environment, PackageLoader

    environment = Environment(
        loader=PackageLoader("lineshaft.engine.report"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"pieces": pieces, "label": label, "cell": cell}
    sections = [section(summary) for summary in wanted(runs, names)]
    return environment.get_template("report.html").render(
        sections=sections,
        claims=ledger.rows(runs),
        made=datetime.now().astimezone(),
        commits=commits(sections),
        width=WIDTH,
        height=HEIGHT,
        left=LEFT,
        right=WIDTH - RIGHT,
        curves=MOST_CURVES,
    )


def wanted(runs: Path, names: Sequence[str]) -> list[Summary]:
    """The experiments that have runs, in the order of the ledger's systems; a plain file goes by its stem."""
    here = {summary.experiment: summary for summary in summaries(runs)}
    if not here:
        raise RequestError(f"no runs in {runs}: `lineshaft demo` makes some, --runs names another folder")
    asked = [Path(name).stem if name.endswith(".py") else name for name in names]
    for name in asked:
        if name not in here:
            raise RequestError(f"no runs of {name[:80]} in {runs}{nearest(name, here)}")
    return [here[name] for name in sorted(here, key=place) if not names or name in asked]


def place(name: str) -> tuple[tuple[int, str], str]:
    return ledger.place(name.partition(".")[0]), name


def pieces(name: str) -> list[str]:
    """A long name cut where a line may break.

    >>> pieces("test/knn_task")
    ['test/', 'knn_', 'task']
    """
    return re.split(r"(?<=[/_,])", name)


def commits(sections: Sequence[Section]) -> list[str]:
    """The commits that the runs on the page were computed with."""
    found = [v for s in sections for fact in s.facts if fact.name == "commit" for v, _ in fact.values]
    return list(dict.fromkeys(found))
