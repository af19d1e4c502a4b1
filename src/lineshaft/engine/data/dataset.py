"""Data sets: a name, a public source with checksums, a licence; never part of the repository."""

import hashlib
import importlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lineshaft.engine.errors import RequestError, nearest


@dataclass(frozen=True)
class Dataset:
    """Files below `folder` of the data root, each with its SHA-256; `urls` of what can be downloaded."""

    name: str
    folder: str
    files: dict[str, str]
    source: str
    licence: str
    urls: dict[str, str] = field(default_factory=dict)


def datasets() -> dict[str, Dataset]:
    """Every data set by name: `lineshaft.SYSTEM.data.DATASETS` of every system that has some."""
    root = Path(__file__).parents[2]
    systems = [p.parent.name for p in sorted(root.glob("*/data.py")) if (p.parent / "experiments").is_dir()]
    modules = [importlib.import_module(f"lineshaft.{system}.data") for system in systems]
    return {dataset.name: dataset for module in modules for dataset in module.DATASETS}


def dataset(name: str) -> Dataset:
    """The data set of that name."""
    known = datasets()
    if name not in known:
        raise RequestError(f"unknown data set {name[:80]}{nearest(name, known)}")
    return known[name]


def roots() -> list[Path]:
    """Where data are looked for: $LINESHAFT_DATA, then the user's cache."""
    named = os.environ.get("LINESHAFT_DATA")
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "lineshaft" / "data"
    return [Path(named).resolve(), cache] if named else [cache]


def locate(dataset: Dataset) -> Path:
    """The folder that holds all its files; an error says which file to place where, and from where."""
    for root in roots():
        if all((root / dataset.folder / name).is_file() for name in dataset.files):
            return root / dataset.folder
    raise RequestError(missing(dataset))


def absent(dataset: Dataset, home: Path) -> list[str]:
    return [name for name in dataset.files if not (home / name).is_file()]


def missing(dataset: Dataset, names: Sequence[str] | None = None) -> str:
    """Which files to place where, from where, under which licence, or the command that fetches them."""
    home = roots()[0] / dataset.folder
    names = absent(dataset, home) if names is None else names
    lines = [f"data set {dataset.name} is not here. Place", *(f"  {home / n}" for n in names[:8])]
    more = [f"  and {len(names) - 8} more: lineshaft data ls {dataset.name}"] if len(names) > 8 else []
    get = [f"or run: lineshaft data get {dataset.name}"] if dataset.urls.keys() >= set(names) else []
    root = [] if os.environ.get("LINESHAFT_DATA") else ["or set LINESHAFT_DATA to the folder of all data"]
    return "\n".join([*lines, *more, f"from {dataset.source} ({dataset.licence})", *get, *root])


def checked(dataset: Dataset) -> tuple[Path, dict[str, str]]:
    """The folder and the checksums of its files, which must be the known ones."""
    home = locate(dataset)
    sums = {name: checksum(home / name) for name in dataset.files}
    for name, known in dataset.files.items():
        if sums[name] != known:
            raise RequestError(
                f"{home / name} is not the known file (SHA-256 {sums[name][:12]}..., known {known[:12]}...): "
                f"replace it from {dataset.source}"
            )
    return home, sums


def checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
