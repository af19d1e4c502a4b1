"""Lists that guests bring, read: pasted titles, tables (Goodreads, Letterboxd), and exports of other sites.

A list is untrusted: no entity is resolved, no document type read, nothing decompressed beyond a limit, no
pattern runs over more than a line of it, and nothing of it is kept.
"""

import csv
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

MOST_BYTES = 8_000_000
"""Of a list, before and after it is decompressed."""
MOST_ENTRIES = 10_000
LONGEST = 300
"""Characters of a title that are looked at."""
LOW = 0.5
"""Share of the best possible score below which an entry is seen, not liked."""
PLANNED = ("plan", "ptw", "want", "wish", "to-read", "to read", "to-watch", "to watch", "watchlist")
DROPPED = ("drop", "given up", "abandon", "did-not-finish", "dnf", "notinteresting")
BULLET = re.compile(r"^\s*(?:[-*•·+]+|\d{1,4}[.):]|#\d+)\s+")
SCORE = re.compile(r"\s*(?:[-–—:|(\[]\s*|\t)(\d{1,2}(?:[.,]\d)?)\s*(?:/\s*(\d{1,3}))?\s*[)\]]?\s*$")
BRACKET = re.compile(r"\s*\([^()]*\)\s*$")
MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}
ARCHIVES = (b"PK\x03\x04", b"7z\xbc\xaf", b"Rar!", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")
COLUMNS = {
    "title": ("title", "name", "series_title", "anime_title", "manga_title", "show", "movie", "book"),
    "score": ("my rating", "rating", "score", "my_score", "user_rating", "your rating", "star rating"),
    "status": ("exclusive shelf", "status", "my_status", "read status", "watch status", "shelf"),
    "id": ("idmal", "mal_id", "mal", "series_animedb_id"),
}
"""What a table's columns are called, in lower case."""
SCALES = (3.0, 5.0, 10.0, 100.0)
"""Best scores that sites give."""


class Refused(Exception):
    """The list cannot be read; the message says what to do and repeats nothing of the list."""


@dataclass(frozen=True)
class Entry:
    """One line of a list."""

    title: str
    ids: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    """Further names of the same work."""
    status: str = ""
    score: float = 0.0
    """Share of the best score; 0: none given."""

    @property
    def kind(self) -> str:
        """liked, seen, dropped or planned."""
        status = self.status.lower()
        if any(word in status for word in PLANNED) or status == "6":
            return "planned"
        if any(word in status for word in DROPPED) or status == "4":
            return "dropped"
        return "seen" if 0 < self.score < LOW else "liked"


def unpacked(raw: bytes) -> bytes:
    """The list without gzip, never more than the most bytes."""
    if raw[:2] != b"\x1f\x8b":
        data = raw
    else:
        try:
            data = zlib.decompressobj(wbits=31).decompress(raw, MOST_BYTES + 1)
        except zlib.error:
            raise Refused("The file looks gzipped but cannot be unpacked.") from None
    if len(data) > MOST_BYTES:
        raise Refused(f"The list is longer than {MOST_BYTES // 1_000_000} MB.")
    return data


def decoded(data: bytes) -> str:
    """The list as text; UTF-16 with its mark as some editors write it, else UTF-8, else Windows-1252."""
    if data.startswith(ARCHIVES):
        raise Refused("That is an archive: unpack it first, then bring the list that is in it.")
    mark = next((name for start, name in MARKS.items() if data.startswith(start)), "")
    try:
        text = data.decode(mark or "utf-8")
    except UnicodeDecodeError:
        text = data.decode("utf-16" if mark == "utf-16" else "cp1252", errors="replace")
    if "\0" in text:
        raise Refused("That is not a text: bring titles, one a line, or an export of a list.")
    return text


def lines(text: str) -> Iterator[Entry]:
    """One title a line; bullets, numbers and a score at the end are taken off."""
    for line in text.splitlines():
        title = BULLET.sub("", line[: 2 * LONGEST]).strip().strip('"').strip()
        score = 0.0
        if found := SCORE.search(title):
            best = float(found[2] or 10)
            value = float(found[1].replace(",", "."))
            if found.start() > 0 and 0 < value <= best and (found[2] or found.group().strip()[0] in "-–—|"):
                title, score = title[: found.start()].strip(), value / best
        if title:
            yield Entry(title[:LONGEST], score=score)


def is_table(text: str) -> bool:
    """Whether the first line names columns, one of them a title."""
    names = header(text)
    return len(names) > 1 and any(name in COLUMNS["title"] for name in names)


def header(text: str) -> list[str]:
    """Names of the first line's columns, in lower case."""
    first = text.lstrip().partition("\n")[0][:2000]
    return [name.strip().strip('"').strip().lower() for name in first.split(separator(first))]


def separator(line: str) -> str:
    return max(",;\t", key=line.count)


def table(text: str) -> Iterator[Entry]:
    """A table with named columns; of a title such as "Name (Series, #2)" the name alone is tried too."""
    names, rows = header(text), text.lstrip().splitlines()
    place = {kind: next((names.index(n) for n in known if n in names), -1) for kind, known in COLUMNS.items()}
    found: list[tuple[Entry, float]] = []
    try:
        for number, cells in enumerate(csv.reader(rows, delimiter=separator(rows[0]))):
            cell = {kind: cells[at].strip() if 0 <= at < len(cells) else "" for kind, at in place.items()}
            if number and (title := cell["title"][:LONGEST]):
                bare = BRACKET.sub("", title)
                others = (bare,) if bare and bare != title else ()
                ids = (cell["id"],) if cell["id"].isdigit() else ()
                found.append((Entry(title, ids, others, cell["status"][:40]), plain_number(cell["score"])))
            if len(found) > MOST_ENTRIES:
                break
    except csv.Error:
        raise Refused("The table cannot be read: bring it as CSV with a column of titles.") from None
    return scored(found, fewest=1)


def scored(found: Sequence[tuple[Entry, float]], fewest: int) -> Iterator[Entry]:
    """Entries with their scores as shares of the best, which the whole list's scores tell.

    Sites let their users choose among 3, 5, 10 and 100. A list of fewer than `fewest` scores is taken to be
    of 10 or 100.
    """
    given = [score for _, score in found if score > 0]
    top = max(given, default=0.0)
    scales = SCALES if len(given) >= fewest else SCALES[2:]
    best = next((scale for scale in scales if top <= scale), 0.0)
    for entry, score in found:
        yield replace(entry, score=score / best) if best and score > 0 else entry


def plain_number(value: object) -> float:
    """A score as a number, 0 where there is none."""
    try:
        found = float(str(value)[:12].replace(",", "."))
    except ValueError:
        return 0.0
    return found if 0 < found < 1000 else 0.0


def first_of(values: Mapping[str, object], names: Iterable[str]) -> object:
    """The first of these values that is there."""
    return next((values[name] for name in names if values.get(name) is not None), None)
