"""All runs as a polars DataFrame, for notebooks."""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lineshaft.engine.table.completion import by_experiment, completed
from lineshaft.engine.table.listing import stamp
from lineshaft.engine.table.read import rows
from lineshaft.engine.table.row import Row
from lineshaft.engine.table.where import as_number

if TYPE_CHECKING:
    import polars

OWN = ("id", "experiment", "name", "state", "diverged", "start", "end", "threads", "host")


def frame(folder: Path, experiment: str | None = None, where: Sequence[str] = ()) -> "polars.DataFrame":
    """A row a run: what it is, its configuration flattened with dots, final metrics, its last execution.

    A parameter or metric whose name another column has already is called `config.NAME` or `result.NAME`.
    """
    import polars

    table = [row for row in rows(folder, experiment, where) if not row.fault]
    for group in by_experiment(table).values():
        completed(group, experiment)
    own = [described(row) for row in table]
    config = labels([row.values for row in table], OWN, "config.")
    result = labels([row.result for row in table], (*OWN, *config.values()), "result.")
    columns = {key: [o[key] for o in own] for key in OWN[:5]}
    columns |= {new: unified([row.values.get(old) for row in table]) for old, new in config.items()}
    columns |= {new: [row.result.get(old) for row in table] for old, new in result.items()}
    columns |= {key: [o[key] for o in own] for key in OWN[5:]}
    return polars.DataFrame([polars.Series(k, v, strict=False) for k, v in columns.items()])


def described(row: Row) -> dict[str, Any]:
    """Identity, state, and what provenance tells of the last execution."""
    last = row.last()
    return {
        "id": row.id,
        "experiment": row.folder.experiment,
        "name": row.folder.name,
        "state": row.state,
        "diverged": row.diverged,
        "start": moment(stamp(last.get("start"))),
        "end": moment(stamp(last.get("end"))),
        "threads": last.get("threads"),
        "host": last.get("host"),
    }


def moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def labels(found: Sequence[dict[str, Any]], taken: Sequence[str], prefix: str) -> dict[str, str]:
    """Name -> column, for every name in the order of first sight."""
    names = dict.fromkeys(name for each in found for name in each)
    return {name: prefix + name if name in taken else name for name in names}


def unified(values: list[Any]) -> list[Any]:
    """Values of one type: numbers (infinities are stored as text), truths, text; anything else as JSON."""
    present = [v for v in values if v is not None]
    if all(isinstance(v, bool) for v in present) or all(isinstance(v, str) for v in present):
        return values
    if all(as_number(v) is not None for v in present):
        whole = all(isinstance(v, int) for v in present)
        return [v if whole or v is None else as_number(v) for v in values]
    return [v if v is None or isinstance(v, str) else json.dumps(v) for v in values]
