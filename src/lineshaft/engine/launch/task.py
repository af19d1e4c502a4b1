"""One cell of a sweep, for a launcher on this machine or on a cluster."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lineshaft.engine.errors import RequestError
from lineshaft.engine.run.identity import DefaultChanged, check_identity
from lineshaft.engine.run.store import Folder
from lineshaft.engine.spec.config import Config
from lineshaft.engine.spec.experiment import find
from lineshaft.engine.spec.names import name


@dataclass(frozen=True)
class Task:
    """An experiment's address, what to compute, and the folder it will lie in."""

    address: str
    config: Config
    folder: Folder


def tasks_of(cells: Iterable[tuple[str, Config]], runs: Path) -> tuple[list[Task], dict[str, str]]:
    """The tasks of a grid; what is wrong with each run that cannot be computed, by its id.

    Raises RequestError where that holds for all of them, and where a default changed: that concerns the grid.
    """
    found, refusals = [], {}
    for address, config in cells:
        try:
            found.append(task(address, config, runs))
        except DefaultChanged:
            raise
        except RequestError as error:
            refusals[f"{find(address).name}/{name(config)}"] = str(error)
    if refusals and not found:
        raise RequestError(next(iter(refusals.values())))
    return found, refusals


def task(address: str, config: Config, runs: Path) -> Task:
    """The task of one configuration; refused where its folder holds another, since a default changed."""
    experiment = find(address)
    folder = Folder(runs.resolve() / experiment.name / name(config))
    check_identity(folder, experiment.address, config)
    return Task(experiment.address, config, folder)
