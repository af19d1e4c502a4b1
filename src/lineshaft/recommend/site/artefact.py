"""The artefact that a site serves: one folder of files, mapped by every worker, never written again.

    model.safetensors   the scorer and its catalogue (lineshaft.recommend.models.model)
    site.safetensors    the search index, the families, members and years
    titles.sqlite       titles, texts and tags by row: what is shown of an item
    about.json          name, note, model, measured figures, and the SHA-256 of the files above

It holds no training row and no factor of a user: `scorer.save` has none, and nothing else is made from them.
"""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from lineshaft.engine import RequestError
from lineshaft.engine.data.dataset import checksum
from lineshaft.engine.run.store import write
from lineshaft.recommend import arrays as files
from lineshaft.recommend.models.model import Scorer, load
from lineshaft.recommend.site import search
from lineshaft.recommend.site.families import families

MODEL, ARRAYS, TITLES, ABOUT = "model.safetensors", "site.safetensors", "titles.sqlite", "about.json"


@dataclass(frozen=True)
class Extras:
    """What a site shows beyond the model's catalogue; all of it may be missing."""

    name: str = "Recommendations"
    things: str = "titles"
    """What the items are called: books, shows, papers."""
    note: str = ""
    """Where the data come from, shown on every page."""
    years: Sequence[int] = ()
    """By row; 0 where unknown."""
    members: Sequence[float] = ()
    """By row: how many people have an item; without it, the likes of the training data."""
    sequels: Sequence[tuple[int, int]] = ()
    """Rows of an item and its sequel; without any, titles decide."""
    by: Sequence[str] = ()
    """By row: author, studio or journal."""


@dataclass(frozen=True)
class Item:
    """What is shown of an item."""

    row: int
    id: str
    title: str
    by: str = ""
    year: int = 0
    text: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Artefact:
    """An opened artefact."""

    folder: Path
    scorer: Scorer
    index: search.Index
    family: np.ndarray
    """(items,) number of the item's family."""
    members: np.ndarray
    """(items,) float32."""
    about: Mapping[str, Any]
    titles: sqlite3.Connection
    tags: tuple[str, ...] = ()
    """All tags, the most frequent first."""
    tagged: Mapping[str, np.ndarray] = field(default_factory=dict)
    """Tag -> rows."""

    def __len__(self) -> int:
        return len(self.members)

    @cached_property
    def _by_family(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows in the order of their families, and where each family begins."""
        order = np.argsort(self.family, kind="stable")
        return order, np.searchsorted(self.family[order], np.arange(self.family.max(initial=0) + 2))

    def relatives(self, family: int) -> np.ndarray:
        """Rows of a family."""
        order, starts = self._by_family
        return order[starts[family] : starts[family + 1]]

    def items(self, rows: Sequence[int]) -> list[Item]:
        """What is shown of these items, in their order."""
        marks = ",".join("?" * len(rows))
        found = self.titles.execute(
            f"SELECT row, id, title, by, year, text, tags FROM items WHERE row IN ({marks})",
            [int(row) for row in rows],
        )
        by_row = {
            row: Item(row, id, title, by, year, text, tuple(filter(None, tags.split("|"))))
            for row, id, title, by, year, text, tags in found
        }
        return [by_row[int(row)] for row in rows]


def build(folder: Path, scorer: Scorer, extras: Extras, figures: Mapping[str, float] | None = None) -> Path:
    """Write an artefact into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    catalogue = scorer.catalogue
    titles = [catalogue.title(row) for row in range(len(catalogue))]
    members = np.asarray(extras.members if len(extras.members) else scorer.likes, np.float32)
    by_title = () if len(extras.sequels) else titles
    found = search.build([f"{t} {by}" for t, by in zip(titles, extras.by or [""] * len(titles))], members) | {
        "family": families(len(titles), extras.sequels, by_title),
        "members": members,
    }
    lean = copy(scorer)
    lean.catalogue = replace(catalogue, texts=())  # shown from the table of titles: no copy in each worker
    lean.save(folder / MODEL)
    files.write(folder / ARRAYS, found, {"lineshaft": "recommend.site"})
    _write_titles(folder / TITLES, scorer, titles, extras)
    about = {
        "name": extras.name,
        "things": extras.things,
        "note": extras.note,
        "model": type(scorer).__name__.lower(),
        "items": len(titles),
        "figures": dict(figures or {}),
        "sha256": {name: checksum(folder / name) for name in (MODEL, ARRAYS, TITLES)},
    }
    write(folder / ABOUT, json.dumps(about, indent=1, ensure_ascii=False) + "\n")
    return folder


def note_figures(folder: Path, figures: Mapping[str, float]) -> None:
    """Add measured figures, which "how it works" shows."""
    about = json.loads((folder / ABOUT).read_text("utf-8"))
    about["figures"] |= dict(figures)
    write(folder / ABOUT, json.dumps(about, indent=1, ensure_ascii=False) + "\n")


def open_artefact(folder: Path) -> Artefact:
    """Map an artefact; a file that is missing or not the one that was built is an error that names it."""
    try:
        about = json.loads((folder / ABOUT).read_text("utf-8"))
        sums = about["sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        raise RequestError(f"{folder}: no artefact of a site ({ABOUT} is missing or damaged)") from None
    for name, known in sums.items():
        if not (folder / name).is_file() or checksum(folder / name) != known:
            raise RequestError(f"{folder / name}: missing or changed since it was built; build it again")
    scorer = load(folder / MODEL)
    arrays, _ = files.read(folder / ARRAYS)
    catalogue = scorer.catalogue
    tagged: dict[str, list[int]] = {}
    for row, tags in enumerate(catalogue.tags):
        for tag in tags:
            tagged.setdefault(tag, []).append(row)
    titles = sqlite3.connect(f"file:{folder / TITLES}?mode=ro&immutable=1", uri=True, check_same_thread=False)
    called = titles.execute("SELECT title, title || ' ' || by FROM items ORDER BY row").fetchall()
    names = sorted(tagged, key=lambda tag: (-len(tagged[tag]), tag))
    index = search.opened(arrays, *zip(*called))
    # Looked up once here, not at the first guest's request.
    catalogue.links.near.get(0)
    index.equal("")
    return Artefact(
        folder,
        scorer,
        index,
        arrays["family"],
        arrays["members"],
        about,
        titles,
        tuple(names),
        {tag: np.array(tagged[tag]) for tag in names},
    )


def _write_titles(path: Path, scorer: Scorer, titles: Sequence[str], extras: Extras) -> None:
    catalogue = scorer.catalogue
    path.unlink(missing_ok=True)
    rows = (
        Item(
            row,
            catalogue.ids[row],
            title,
            extras.by[row] if extras.by else "",
            int(extras.years[row]) if len(extras.years) else 0,
            catalogue.texts[row] if catalogue.texts else "",
            tuple(catalogue.tags[row]) if catalogue.tags else (),
        )
        for row, title in enumerate(titles)
    )
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(
            "CREATE TABLE items "
            "(row INTEGER PRIMARY KEY, id TEXT, title TEXT, by TEXT, year INTEGER, text TEXT, tags TEXT)"
        )
        values = ({**asdict(item), "tags": "|".join(item.tags)} for item in rows)
        connection.executemany(
            "INSERT INTO items VALUES (:row, :id, :title, :by, :year, :text, :tags)", values
        )
    connection.close()
