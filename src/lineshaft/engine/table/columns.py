"""The parameters of a table: which of them vary, what identifies a seed, in what order values stand."""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from lineshaft.engine.errors import RequestError, nearest
from lineshaft.engine.table.row import Row

SEED = re.compile(r"(parent\.)*seed")
ABSENT = "\0absent"
Key = tuple[Any, ...]


def cell(row: Row, key: str) -> Any:
    """A value that can be compared and hashed; ABSENT where the run does not have the parameter."""
    value = row.values.get(key, ABSENT)
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value, sort_keys=True) if isinstance(value, list | dict) else value


def key_of(row: Row, keys: Sequence[str]) -> Key:
    return tuple(cell(row, key) for key in keys)


def unit(row: Row) -> Key:
    """What a seed is: its own, then those of its parents where they differ."""
    if row.values.get("parent") is None:
        return (row.values.get("seed", 0),)
    seeds = [v for k, v in row.values.items() if SEED.fullmatch(k)]
    return tuple(seeds[:1] if len(set(seeds)) == 1 else seeds)


def varying(rows: Sequence[Row]) -> list[str]:
    """The parameters with several values, seeds left out; a variant's own ones vary only within it."""
    keys = dict.fromkeys(k for row in rows for k in row.values if not SEED.fullmatch(k))
    return [key for key in keys if several(rows, key) or torn(rows, key)]


def several(rows: Sequence[Row], key: str) -> bool:
    """Whether two runs of one variant differ in it."""
    first: dict[Any, Any] = {}
    return any(
        first.setdefault(choice(row, key), value) != value
        for row in rows
        if (value := cell(row, key)) != ABSENT
    )


def torn(rows: Sequence[Row], key: str) -> bool:
    """Whether some runs lack a parameter for another reason than their choice of a variant."""
    without = [row for row in rows if key not in row.values]
    choices = {choice(row, key) for row in rows if key in row.values} if without else set()
    return any(choice(row, key) in choices for row in without)


def choice(row: Row, key: str) -> Any:
    """The variant that a parameter belongs to: the value of `method` for `method.alpha`."""
    while "." in key:
        key = key.rpartition(".")[0]
        if key in row.values:
            return cell(row, key)
    return None


def checked(wanted: Iterable[str], known: Sequence[str], what: str) -> list[str]:
    """The wanted names, each of which some run has."""
    for name in wanted:
        if name not in known:
            raise RequestError(f"no run has a {what} {name[:80]}{nearest(name, known)}")
    return list(dict.fromkeys(wanted))


def natural(values: Key) -> tuple[tuple[int, float, str], ...]:
    """Numbers by size, then text; what is absent or null first."""
    return tuple(place(value) for value in values)


def place(value: Any) -> tuple[int, float, str]:
    if value is None or value == ABSENT:
        return 0, 0.0, ""
    if isinstance(value, int | float):
        return 1, float(value), ""
    return 2, 0.0, str(value)
