"""Downloading a data set whose files can be had as they are."""

import contextlib
from collections.abc import Callable
from pathlib import Path

from lineshaft.engine.data.dataset import Dataset, checksum, locate, missing, roots
from lineshaft.engine.errors import RequestError


def get(dataset: Dataset, report: Callable[[str], None] = lambda text: None) -> Path:
    """Download what is missing or damaged; a file is put in place once its checksum is the known one.

    `report` is called with each address before its download. Files without an address must be placed by hand.
    """
    home = place(dataset)
    wanted = [name for name in dataset.files if not is_known(home / name, dataset.files[name])]
    if not dataset.urls.keys() >= set(wanted):
        raise RequestError(missing(dataset, wanted))
    for name in wanted:
        report(dataset.urls[name])
        fetch(dataset, name, home)
    return home


def place(dataset: Dataset) -> Path:
    """Where the data set lies, or the first place where it is looked for."""
    try:
        return locate(dataset)
    except RequestError:
        return roots()[0] / dataset.folder


def is_known(path: Path, known: str) -> bool:
    return path.is_file() and checksum(path) == known


def fetch(dataset: Dataset, name: str, home: Path) -> None:
    """One file, through a temporary one beside it; a fault leaves nothing of it, not even its folder."""
    import pooch

    pooch.get_logger().setLevel("ERROR")
    target, url = home / name, dataset.urls[name]
    made = [p for p in (target.parent, *target.parent.parents) if not p.exists()]
    try:
        pooch.retrieve(url, f"sha256:{dataset.files[name]}", fname=target.name, path=target.parent)
    except Exception as error:
        raise RequestError(f"{url}: {error}\n{missing(dataset, [name])}") from None
    finally:
        for folder in made:
            with contextlib.suppress(OSError):
                folder.rmdir()
