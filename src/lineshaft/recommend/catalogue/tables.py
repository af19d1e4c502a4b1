"""An owner's own tables, as csv, tsv or parquet: interactions, and, if there are any, items and edges.

    likes.csv   user,item[,value][,time]
    items.csv   item[,title][,text][,tags][,prior]   tags parted by |; prior: any number, more is better
    edges.csv   source,target[,weight][,text]        text: what somebody wrote about the pair

Ids are texts of any kind. Nothing is dropped without a count that says why.
"""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars
from scipy.sparse import csr_matrix

from lineshaft.engine import RequestError
from lineshaft.recommend.catalogue.catalogue import Catalogue, Edges
from lineshaft.recommend.catalogue.files import floats, frame, times
from lineshaft.recommend.evaluate.folds import binary


@dataclass(frozen=True)
class Tables:
    """What the files hold, as matrices."""

    users: list[str]
    """Their ids, used to draw folds and for nothing else."""
    likes: csr_matrix
    """(users, items) binary."""
    catalogue: Catalogue
    times: csr_matrix | None = None
    """(users, items) when each pair came about; only the order counts."""
    counted: dict[str, int] = field(default_factory=dict)
    """What was read, and what was dropped and why."""


def read(interactions: Path, items: Path | None, edges: Path | None, like: float | None) -> Tables:
    """Read and check all tables. `like`: the least value that counts as liked; None: any above 0."""
    counted: Counter[str] = Counter()
    pairs = _pairs(interactions, like, counted)
    known = _items(items, counted) if items else None
    ids = known["item"].to_list() if known is not None else []
    more = pairs["item"].unique(maintain_order=True).to_list()
    row = {item: number for number, item in enumerate(dict.fromkeys([*ids, *more]))}
    if known is not None:
        counted["liked items without a row in the table of items"] = len(row) - len(ids)
        if len(row) == len(ids) + len(more):
            raise RequestError(
                f"{items}: none of its items is liked: it has {ids[0]!r}, {interactions} {more[0]!r}; "
                "both must write an item's id alike"
            )
    blank = [""] * (len(row) - len(ids))
    columns = (
        {name: _texts(known, name) + blank for name in ("title", "text", "tags")} if known is not None else {}
    )
    catalogue = Catalogue(
        list(row),
        columns.get("title", ()),
        columns.get("text", ()),
        [tuple(filter(None, (tag.strip() for tag in tags.split("|")))) for tags in columns.get("tags", ())],
        prior=None if known is None else _prior(known, len(blank), items),
        edges=_edges(edges, row, counted) if edges else Edges(),
    )
    users = pairs["user"].unique(maintain_order=True).to_list()
    rows = _numbers(pairs["user"], {user: number for number, user in enumerate(users)})
    cells = (rows, _numbers(pairs["item"], row))
    likes = binary(*cells, (len(users), len(row)))
    order = None
    if "time" in pairs.columns:
        place = pairs["time"].rank("ordinal").to_numpy()
        order = csr_matrix((place.astype(np.float64), cells), shape=likes.shape)
    summary = {
        "users": len(users),
        "users of a single item": int((np.diff(likes.indptr) == 1).sum()),
        "items": len(row),
        "items nobody likes": int((likes.sum(0) == 0).sum()),
        "items without title or text": int((~catalogue.has_text).sum()),
        "likes": likes.nnz,
        "edges": len(catalogue.edges),
    }
    return Tables(users, likes, catalogue, order, dict(counted) | summary)


def _pairs(path: Path, like: float | None, counted: Counter[str]) -> polars.DataFrame:
    """user, item and, where there is one, time of what is liked; each pair once, its first time."""
    table = frame(path, ("user", "item"), ("value", "time"))
    filled = table.filter((polars.col("user") != "") & (polars.col("item") != ""))
    counted["interactions read"] = len(table)
    counted["interactions without user or item, dropped"] = len(table) - len(filled)
    if "value" in filled.columns:
        values = floats(filled["value"], path)
        enough = values > 0 if like is None else values >= like
        why = "at 0 or below" if like is None else f"below {like:g}"
        counted[f"interactions with a value {why}, dropped"] = int((~enough).sum())
        filled = filled.filter(polars.Series(enough))
    elif like is not None:
        raise RequestError(
            f"{path}: data.like={like:g} needs a column value; it has {', '.join(table.columns)}"
        )
    if "time" in filled.columns:
        counted["interactions without a time, taken as the earliest"] = int((filled["time"] == "").sum())
        filled = filled.with_columns(time=times(filled["time"], path)).sort("time", maintain_order=True)
    unique = filled.unique(["user", "item"], keep="first", maintain_order=True)
    counted["interactions named twice, merged"] = len(filled) - len(unique)
    if not len(unique):
        limit = "" if like is None else f" with a value of {like:g} or more; take a lower data.like"
        raise RequestError(f"{path}: no interaction is left of {len(table)} rows{limit}")
    return unique


def _items(path: Path, counted: Counter[str]) -> polars.DataFrame:
    table = frame(path, ("item",), ("title", "text", "tags", "prior"))
    filled = table.filter(polars.col("item") != "")
    unique = filled.unique(["item"], keep="first", maintain_order=True)
    counted["items without an id, dropped"] = len(table) - len(filled)
    counted["items named twice, the first kept"] = len(filled) - len(unique)
    return unique


def _prior(known: polars.DataFrame, more: int, path: Path | None) -> np.ndarray | None:
    """(items,) the column prior; items without one stand at the middle of the others."""
    if "prior" not in known.columns or path is None:
        return None
    filled = known["prior"].replace("", None)
    if not (numbers := floats(filled.drop_nulls(), path)).size:
        return None
    found = np.full(len(known) + more, np.median(numbers))
    found[np.flatnonzero(filled.is_not_null().to_numpy())] = numbers
    return found.astype(np.float32)


def _edges(path: Path, row: dict[str, int], counted: Counter[str]) -> Edges:
    """Edges between known items; of several from one item to another the weights add up, the texts join."""
    table = frame(path, ("source", "target"), ("weight", "text"))
    weight = floats(table["weight"], path) if "weight" in table.columns else np.ones(len(table))
    source, target = (_numbers(table[name], row, -1) for name in ("source", "target"))
    known, apart, positive = (source >= 0) & (target >= 0), source != target, weight > 0
    if not known.any():
        raise RequestError(
            f"{path}: no edge has both its ends in the catalogue: it links {table['source'][0]!r} and "
            f"{table['target'][0]!r}, an item there is {next(iter(row))!r}; all tables must write ids alike"
        )
    counted["edges with an end outside the catalogue, dropped"] = int((~known).sum())
    counted["edges from an item to itself, dropped"] = int((known & ~apart).sum())
    counted["edges with a weight of 0 or below, dropped"] = int((known & apart & ~positive).sum())
    kept = known & apart & positive
    texts = np.array(_texts(table, "text"), object)[kept]
    ends, place = np.unique(np.stack([source[kept], target[kept]]), axis=1, return_inverse=True)
    counted["edges named twice, merged"] = int(kept.sum()) - ends.shape[1]
    merged = [""] * ends.shape[1]
    for number, text in zip(place.ravel().tolist(), texts):
        merged[number] = "\n".join(filter(None, (merged[number], text)))
    total = np.bincount(place.ravel(), weight[kept], ends.shape[1])
    return Edges(ends[0].astype(np.int32), ends[1].astype(np.int32), total.astype(np.float32), merged)


def _texts(table: polars.DataFrame, name: str) -> list[str]:
    return table[name].to_list() if name in table.columns else [""] * len(table)


def _numbers(column: polars.Series, row: dict[str, int], missing: int | None = None) -> np.ndarray:
    found = (row[value] if missing is None else row.get(value, missing) for value in column.to_list())
    return np.fromiter(found, np.int64, len(column))
