"""An experiment's own figures of a run, as data that a page can hold."""

import base64
import io
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lineshaft.engine.report.figure import Figure
from lineshaft.engine.run.store import Folder
from lineshaft.engine.spec.experiment import Experiment
from lineshaft.engine.table.archive import Kept
from lineshaft.engine.table.grouping import Group

ENOUGH = 8
MOST_OF_A_RUN = 12
DPI = 130
WIDE = 2.6


@dataclass(frozen=True)
class Picture:
    """A drawn figure, or a note where drawing it failed."""

    run: str
    title: str
    caption: str = ""
    source: str = ""
    error: str = ""
    is_wide: bool = False


def pictures(experiment: Experiment | None, groups: Sequence[Group]) -> list[Picture]:
    """The figures of each group's first done run, group after group until there are enough."""
    found: list[Picture] = []
    for group in groups:
        if experiment is not None and group.done and len(found) < ENOUGH:
            found += of_run(experiment, group)
    return found


def of_run(experiment: Experiment, group: Group) -> list[Picture]:
    """What could be drawn; where a figure raises, its message takes the place of the run's other figures."""
    if experiment.figures is None:
        return []
    folder, found = group.done[0].folder, []
    try:
        with on_disk(folder) as directory:
            for figure in experiment.figures(directory):
                found.append(drawn(folder.name, figure))
                if len(found) == MOST_OF_A_RUN:
                    break
    except Exception as error:
        text = f"{type(error).__name__}: {error}"
        if isinstance(folder, Kept) and isinstance(error, FileNotFoundError):
            text = (
                f"{Path(str(error.filename)).name} is not kept in {folder.file.name}: export it with --arrays"
            )
        found.append(Picture(folder.name, "A figure could not be drawn", error=text[:500]))
    return found


@contextmanager
def on_disk(folder: Folder) -> Iterator[Path]:
    """The run's folder; a temporary one with its files for a run that a file keeps."""
    if not isinstance(folder, Kept):
        yield folder.dir
        return
    with tempfile.TemporaryDirectory() as scratch:
        yield folder.unpack(Path(scratch) / folder.experiment / folder.name).dir


def drawn(run: str, figure: Figure) -> Picture:
    buffer = io.BytesIO()
    figure.plot.savefig(buffer, format="png", dpi=DPI, facecolor="white")
    source = "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
    width, height = figure.plot.get_size_inches()
    return Picture(run, figure.title, figure.caption, source, is_wide=bool(width > WIDE * height))


def by_run(found: Sequence[Picture]) -> Iterator[tuple[str, list[Picture]]]:
    """Pictures under the run they show."""
    for run in dict.fromkeys(picture.run for picture in found):
        yield run, [picture for picture in found if picture.run == run]
