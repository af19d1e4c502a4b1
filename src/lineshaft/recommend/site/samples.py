"""What a site shows without any model of one's own: the embedded books, or AnimeULike where its data are."""

from pathlib import Path

import numpy as np

from lineshaft.recommend import books
from lineshaft.recommend.catalogue.catalogue import Catalogue, Edges
from lineshaft.recommend.evaluate.folds import binary
from lineshaft.recommend.models.l3ae import L3ae
from lineshaft.recommend.site.artefact import Extras, build
from lineshaft.recommend.text.encoders import Words

NOTE = (
    "A sample of 275 books from before 1930. Titles, authors and series are real; the readers behind the "
    "recommendations are simulated."
)
MODEL = L3ae(lam=150, pull=300, encoders=(Words(),))
"""For the embedded books: readers, tags and notes in closed form, in a moment."""


def book_catalogue() -> Catalogue:
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
        edges,
    )


def build_books(folder: Path) -> Path:
    """Fit the simulated readers and write the artefact; takes a moment."""
    every, catalogue = books.books(), book_catalogue()
    users, items = books.readers()
    likes = binary(users, items, (books.READERS, len(every)))
    scorer = MODEL.fit(likes, catalogue, seed=0, threads=1)
    row = {book.id: number for number, book in enumerate(every)}
    extras = Extras(
        "What to read next",
        "books",
        NOTE,
        [book.year for book in every],
        np.asarray(likes.sum(0)).ravel().tolist(),
        [(row[a], row[b]) for a, b in books.sequels()],
        [book.author for book in every],
    )
    return build(folder, scorer, extras)
