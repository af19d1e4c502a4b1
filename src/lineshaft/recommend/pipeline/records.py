"""What parsers give: three raw tables, one row a statement of a page, before anything is merged or dropped.

Every row names where it came from (`origin`), so that a count of what was dropped can name an example. Texts
are kept as they are; numbers that a page does not have are null.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lineshaft.engine import RequestError

TEXT, NUMBER = pa.string(), pa.float64()
ITEMS = {
    "item": TEXT,
    "title": TEXT,
    "text": TEXT,
    "tags": TEXT,
    "year": NUMBER,
    "members": NUMBER,
    "origin": TEXT,
}
EDGES = {"source": TEXT, "target": TEXT, "kind": TEXT, "weight": NUMBER, "text": TEXT, "origin": TEXT}
INTERACTIONS = {"user": TEXT, "item": TEXT, "rating": NUMBER, "status": TEXT, "origin": TEXT}
DROPPED = {"table": TEXT, "reason": TEXT, "rows": NUMBER, "example": TEXT}
TABLES = {"items": ITEMS, "edges": EDGES, "interactions": INTERACTIONS, "dropped": DROPPED}

Row = Mapping[str, Any]


@dataclass
class Records:
    """Rows of the three tables, and what was dropped on the way to them."""

    items: list[Row] = field(default_factory=list)
    edges: list[Row] = field(default_factory=list)
    interactions: list[Row] = field(default_factory=list)
    dropped: list[Row] = field(default_factory=list)

    def drop(self, table: str, reason: str, example: str, rows: int = 1) -> None:
        self.dropped.append({"table": table, "reason": reason, "rows": float(rows), "example": example})

    def __len__(self) -> int:
        return len(self.items) + len(self.edges) + len(self.interactions) + len(self.dropped)

    def extend(self, other: "Records") -> None:
        for name in TABLES:
            getattr(self, name).extend(getattr(other, name))


def arrow(name: str, rows: Iterable[Row]) -> pa.Table:
    """Rows as an arrow table with the columns of that table; columns a row lacks are null."""
    columns = TABLES[name]
    listed = list(rows)
    try:
        arrays = [pa.array([row.get(key) for row in listed], kind) for key, kind in columns.items()]
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise RequestError(f"{name}: a value is not of its column's type: {error}") from None
    return pa.table(arrays, schema=pa.schema(list(columns.items())))


def write_part(folder: Path, number: int, records: Records) -> None:
    """Part `number` of each raw table, whole or not at all: folder/TABLE/part-00000.parquet."""
    for name in TABLES:
        place = folder / name / f"part-{number:05}.parquet"
        place.parent.mkdir(parents=True, exist_ok=True)
        temporary = place.with_suffix(".writing")
        pq.write_table(arrow(name, getattr(records, name)), temporary)
        temporary.replace(place)
