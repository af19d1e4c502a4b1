"""What an experiment optimises, as its runs tell: tuning and "best" use this metric and no other."""

from collections.abc import Sequence

from lineshaft.engine.table.row import Row

Objective = tuple[str, str]
"""A validation metric, and "max" or "min"."""


def objective_of(table: Sequence[Row]) -> Objective | None:
    """The objective of one experiment's runs; where it was changed between them, that of the latest."""
    found: dict[Objective | None, list[Row]] = {}
    for row in (row for row in table if row.description):
        found.setdefault(stated(row), []).append(row)
    if len(found) < 2:
        return next(iter(found), None)
    return max(found, key=lambda each: max(str(row.last().get("start") or "") for row in found[each]))


def stated(row: Row) -> Objective | None:
    match row.description.get("objective"):
        case [str(metric), str(direction)]:
            return metric, direction
        case _:
            return None
