"""Everything the files of one run tell."""

from pathlib import Path
from typing import Any

from lineshaft.engine.errors import RequestError
from lineshaft.engine.run.queue import ticket
from lineshaft.engine.run.store import Folder
from lineshaft.engine.spec.config import as_json, default
from lineshaft.engine.spec.experiment import find
from lineshaft.engine.table.family import Family, ids
from lineshaft.engine.table.listing import line
from lineshaft.engine.table.read import read, rows, with_queue
from lineshaft.engine.table.row import UNREADABLE, Row, executions, fault_of, flattened


def portrait(folder: Folder) -> dict[str, Any]:
    """State, configuration, result, last logged values, provenance, family and error, as plain JSON types."""
    row = read(folder)
    if row is None:
        raise RequestError(f"{folder.dir} is not a run: it has no config.json")
    with_queue([row])
    entries = executions(folder)
    family = Family(rows(folder.dir.parent.parent))
    return {
        **line(row).as_json(),
        "folder": str(folder.dir),
        "config": flattened(row.config),
        "non_default": sorted(non_default(row, str(row.last().get("experiment", folder.experiment)))),
        "result": row.result,
        "logged": last_logged(folder),
        "provenance": entries[-1] if entries else {},
        "parents": ids(family.parents(row)),
        "children": ids(family.children(row)),
        "error": folder.error(),
    }


def non_default(row: Row, address: str) -> set[str]:
    """The parameters that were not defaults when it was made, or, where it does not say, that are not now."""
    values, words = flattened(row.config), row.description.get("words")
    if isinstance(words, list):
        return {str(word).partition("=")[0] for word in words} & set(values)
    try:
        base = default(find(address).config)
    except (RequestError, ImportError):
        return set()
    usual = flattened(as_json(base)) if base else {}
    return {key for key, value in values.items() if key not in usual or usual[key] != value}


def last_logged(folder: Folder) -> dict[str, Any]:
    """The last row of metrics.jsonl, or what is wrong with that file."""
    try:
        return folder.last_row()
    except UNREADABLE as error:
        return {"fault": fault_of(folder, error)}


def log_file(runs: Path, folder: Folder) -> Path:
    """The run's captured output; before its first line, what its Slurm job printed."""
    own, job = folder.dir / "log.txt", ticket(folder).get("log")
    return runs / job if job and not own.exists() else own
