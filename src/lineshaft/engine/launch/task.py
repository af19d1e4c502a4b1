"""One cell of a sweep: what a launcher, here or on a cluster, is to get done."""

from dataclasses import dataclass
from pathlib import Path

from lineshaft.engine.run.identity import check_identity
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


def task(address: str, config: Config, runs: Path) -> Task:
    """The task of one configuration; refused where its folder holds another, since a default changed."""
    experiment = find(address)
    folder = Folder(runs.resolve() / experiment.name / name(config))
    check_identity(folder, experiment.address, config)
    return Task(experiment.address, config, folder)
