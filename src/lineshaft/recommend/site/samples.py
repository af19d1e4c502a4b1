"""Catalogues that come with what a site shows: the embedded books, and AnimeULike where its data are."""

import gzip
import json
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

import numpy as np

from lineshaft.engine import Run
from lineshaft.recommend import books
from lineshaft.recommend.catalogue.animeulike import Animeulike
from lineshaft.recommend.catalogue.catalogue import Catalogue, Edges
from lineshaft.recommend.catalogue.data import Data
from lineshaft.recommend.catalogue.source import Source
from lineshaft.recommend.data import ANIMEULIKE_ITEMS
from lineshaft.recommend.evaluate.folds import binary
from lineshaft.recommend.models.l3ae import L3ae
from lineshaft.recommend.site.artefact import Extras, build, note_figures, open_artefact
from lineshaft.recommend.site.measure import measure
from lineshaft.recommend.text.encoders import Words

MODEL = L3ae(lam=150, pull=300, encoders=(Words(),))
"""For the embedded books: readers, tags and notes in closed form, in a moment."""


@runtime_checkable
class Shown(Protocol):
    """A source that knows more of its items than a model needs."""

    def extras(self, run: Run | None = None) -> Extras:
        """Names, years, authors, series, in the order of the catalogue."""


MEASURED = 100
"""Simulated readers on whose baskets the sample's reasons are measured."""


class Books(Source):
    """The embedded books with simulated readers."""

    name: Literal["books"] = "books"

    def open(self, run: Run | None = None) -> Data:
        users, items = books.readers()
        likes = binary(users, items, (books.READERS, len(books.books())))
        return Data([str(number) for number in range(books.READERS)], likes, _catalogue())

    def extras(self, run: Run | None = None) -> Extras:
        every = books.books()
        row = {book.id: number for number, book in enumerate(every)}
        return Extras(
            "What to read next",
            "books",
            "A sample of 275 books from before 1930. Titles, authors and series are real; the readers behind "
            "the recommendations are simulated.",
            [book.year for book in every],
            (),
            [(row[a], row[b]) for a, b in books.sequels()],
            [book.author for book in every],
        )


class Shows(Animeulike):
    """AnimeULike with the years of its shows; series are told by their titles, for want of relations."""

    def extras(self, run: Run) -> Extras:
        years = []
        with gzip.open(run.data(ANIMEULIKE_ITEMS) / "items.jsonl.gz", "rt", encoding="utf-8") as file:
            for item in map(json.loads, file):
                start = str(item.get("start") or "")[:4]
                years.append(int(start) if start.isdigit() else 0)
        return Extras(
            "What to watch next",
            "shows",
            "AnimeULike: reviews and written recommendations by users of MyAnimeList, 2021 and 2022.",
            years,
        )


def build_books(folder: Path) -> Path:
    """Fit the embedded books, write their artefact and measure its reasons; takes a moment."""
    source = Books()
    data = source.open()
    scorer = MODEL.fit(data.likes, data.catalogue, seed=0, threads=1)
    build(folder, scorer, source.extras())
    note_figures(folder, measure(open_artefact(folder), data.likes, MEASURED, seed=0))
    return folder


def _catalogue() -> Catalogue:
    """The books with their notes and series as edges."""
    every = books.books()
    row = {book.id: number for number, book in enumerate(every)}
    pairs = [(a, b, text) for a, b, text in books.notes()] + [(a, b, "") for a, b in books.sequels()]
    edges = Edges(
        np.array([row[a] for a, _, _ in pairs], np.int32),
        np.array([row[b] for _, b, _ in pairs], np.int32),
        np.ones(len(pairs), np.float32),
        [text for _, _, text in pairs],
    )
    return Catalogue(
        [book.id for book in every],
        [book.title for book in every],
        [book.text for book in every],
        [book.tags for book in every],
        edges=edges,
    )
