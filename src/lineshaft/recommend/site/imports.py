"""The titles of a guest's list, found in the catalogue.

What is planned is not a like; what was dropped is left out of the results; a low score means "seen", not
"liked". Titles that are not found are given back, so that the guest sees them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from lineshaft.recommend.site import exports, lists
from lineshaft.recommend.site.lists import MOST_ENTRIES, Entry, Refused
from lineshaft.recommend.site.search import Index

MOST_GUESSED = 500
"""Titles for which a similar one is looked for: it takes a millisecond each."""


@dataclass
class Imported:
    """Rows by kind, each row once, and what could not be used."""

    rows: dict[str, list[int]] = field(default_factory=lambda: {"liked": [], "seen": [], "dropped": []})
    planned: int = 0
    unmatched: list[str] = field(default_factory=list)


def entries(raw: bytes) -> list[Entry]:
    """Whatever the list is, by its first characters."""
    text = lists.decoded(lists.unpacked(raw))
    start = text.lstrip()[:1]
    if start == "<":
        found = exports.xml(text)
    elif start in ("{", "["):
        found = exports.json_lists(text)
    else:
        found = lists.table(text) if lists.is_table(text) else lists.lines(text)
    first = list(islice(found, MOST_ENTRIES + 1))
    if len(first) > MOST_ENTRIES:
        raise Refused(f"The list has more than {MOST_ENTRIES} entries.")
    return first


def matched(found: Sequence[Entry], row: Mapping[str, int], index: Index) -> Imported:
    """Entries -> rows: by id where the list's ids are the catalogue's, else by title."""
    done, guesses, kinds = Imported(), MOST_GUESSED, dict[int, str]()
    numbers = row if ids_agree(found, row, index) else {}
    for entry in found:
        if entry.kind == "planned":
            done.planned += 1
            continue
        by_id = _first(numbers.get(number) for number in entry.ids)
        names = (entry.title, *entry.others)
        place = by_id if by_id is not None else _first(map(index.equal, names))
        if place is None and guesses > 0:
            guesses -= 1
            place = _first(map(index.nearly, names))
        if place is None:
            done.unmatched.append(entry.title)
        else:
            kinds.setdefault(place, entry.kind)
    for place, kind in kinds.items():
        done.rows[kind].append(place)
    return done


def ids_agree(found: Iterable[Entry], row: Mapping[str, int], index: Index) -> bool:
    """Whether an id means the same here as there: where id and title are both known, most name one item.

    Ids are small numbers on most sites, so that those of another catalogue would name anything.
    """
    votes = [
        row[number] == place
        for entry in found
        for number in entry.ids
        if number in row and (place := _first(map(index.equal, (entry.title, *entry.others)))) is not None
    ]
    return sum(votes) > len(votes) / 2


def _first(found: Iterable[int | None]) -> int | None:
    return next((row for row in found if row is not None), None)
