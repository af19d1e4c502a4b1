"""Who a run was started from and what was started from it; nobody keeps a list, the files tell."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from lineshaft.engine.spec.names import name_of
from lineshaft.engine.table.row import Row, executions

Link = tuple[str, str]
"""An experiment; the version of its code and the configuration of a run as canonical JSON."""


class Family:
    """Parents and children among the runs of a table."""

    def __init__(self, table: Sequence[Row]) -> None:
        self.by_link = {own_link(row): row for row in table if not row.fault}
        self.by_id = {row.id: row for row in table}
        self.found: dict[str, list[Row]] = {}
        for child in table:
            for parent in self.parents(child):
                self.found.setdefault(parent.id, []).append(child)

    def parents(self, row: Row) -> list[Row]:
        """The run whose checkpoint it started from, and those it needed; without the ones removed since."""
        start = start_of(row)
        started = self.by_link.get(start) if start else None
        needed = [self.by_id[name] for name in needed_by(row) if name in self.by_id]
        return list({r.id: r for r in [started, *needed] if r is not None}.values())

    def children(self, row: Row) -> list[Row]:
        return self.found.get(row.id, [])


def link(experiment: str, version: Any, config: Mapping[str, Any]) -> Link:
    return experiment, json.dumps([version, config], sort_keys=True)


def own_link(row: Row) -> Link:
    return link(row.folder.experiment, row.version, row.config)


def start_of(row: Row) -> Link | None:
    """What a relaunched run's configuration says of its parent."""
    parent = row.config.get("parent")
    if not isinstance(parent, dict) or not isinstance(parent.get("config"), dict):
        return None
    return link(name_of(str(parent.get("experiment"))), parent.get("version", 1), parent["config"])


def needed_by(row: Row) -> Iterator[str]:
    """Ids of the runs that an execution asked for with `run.need`."""
    for entry in executions(row.folder):
        named = entry.get("parents")
        yield from (map(str, named) if isinstance(named, list) else ())


def ids(rows: Iterable[Row]) -> list[str]:
    return [row.id for row in rows]
