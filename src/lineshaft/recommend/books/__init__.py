"""The embedded catalogue: 275 books from before 1930, their series, and notes on pairs that go together.

Titles, authors, years and series are facts; the notes were written for lineshaft. The readers are simulated
and only stand in for the interactions of a real catalogue: a site that shows this sample says so.
"""

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise

import numpy as np

READERS = 1500
TASTE = 1.9
"""How much more a reader likes a book for each of its tags that is a favourite (exponent)."""


@dataclass(frozen=True)
class Book:
    id: str
    title: str
    author: str
    year: int
    tags: tuple[str, ...]

    @property
    def text(self) -> str:
        return f"{self.title} by {self.author}, {self.year}."


@cache
def books() -> tuple[Book, ...]:
    """All books, in the order of the file."""
    rows = [line.split("\t") for line in _lines("books.tsv")]
    return tuple(
        Book(slug(t), t, author, int(year), tuple(tags.split("|"))) for t, author, year, tags in rows
    )


@cache
def sequels() -> tuple[tuple[str, str], ...]:
    """(book, its sequel) by id."""
    rows = [[slug(title) for title in line.split(" > ")] for line in _lines("series.txt")]
    return tuple(pair for row in rows for pair in pairwise(row))


@cache
def notes() -> tuple[tuple[str, str, str], ...]:
    """(book, recommended book, what is written about the pair) by id."""
    rows = [line.split("\t") for line in _lines("notes.tsv")]
    return tuple((slug(a), slug(b), text) for a, b, text in rows)


def readers(seed: int = 0, count: int = READERS) -> tuple[np.ndarray, np.ndarray]:
    """Simulated likes: (pairs,) reader and row of the book, 4 to 40 books a reader.

    A reader has three favourite tags; books differ in popularity as by Zipf's law,
    those in many notes first; the sequel of a book that is liked is liked more often.
    """
    rng = np.random.default_rng([seed, 275])
    all_books, tags = books(), sorted({tag for book in books() for tag in book.tags})
    has = np.array([[tag in book.tags for tag in tags] for book in all_books], float)
    mentioned = Counter(book for a, b, _ in notes() for book in (a, b))
    order = np.argsort(np.argsort([rng.random() - mentioned[book.id] for book in all_books]))
    popularity = -0.7 * np.log(4 + order)
    chosen = np.argsort(rng.gumbel(size=(count, len(tags))) + np.log(has.sum(0)), axis=1)[:, -3:]
    favourite = np.zeros((count, len(tags)))
    np.put_along_axis(favourite, chosen, 1.0, axis=1)
    appeal = popularity + TASTE * favourite @ has.T + rng.gumbel(size=(count, len(all_books)))
    rows = {book.id: row for row, book in enumerate(all_books)}
    for first, second in sequels():
        appeal[:, rows[second]] += 0.15 * np.maximum(appeal[:, rows[first]], 0)
    size = 4 + np.minimum(rng.geometric(0.12, count), 36)
    edge = -np.take_along_axis(np.sort(-appeal, axis=1), size[:, None] - 1, axis=1)
    users, items = np.nonzero(appeal >= edge)
    return users, items


def slug(title: str) -> str:
    """A title in an address: lower case, no accents, words joined by `-`."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def _lines(name: str) -> list[str]:
    return files(__package__).joinpath(name).read_text("utf-8").splitlines()
