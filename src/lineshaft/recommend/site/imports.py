"""Lists that guests bring: pasted titles, a MyAnimeList export (gzipped or not), AniList's JSON.

A list is untrusted: no entity is resolved, no document type read, nothing decompressed beyond a limit, and
nothing of it is kept. What is planned is not a like; what was dropped is left out of the results; a low score
means "seen", not "liked". Titles that are not found are given back, so that the guest sees them.
"""

import io
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from lineshaft.recommend.site.search import Index

MOST_BYTES = 8_000_000
"""Of a list, before and after it is decompressed."""
MOST_ENTRIES = 10_000
MOST_GUESSED = 500
"""Titles for which a similar one is looked for: it takes a millisecond each."""
LOW = 0.5
"""Share of the best possible score below which an entry is seen, not liked."""
BARE = re.compile(rb"<!\[CDATA\[.*?\]\]>|&(?!#\d{1,7};|#x[0-9a-fA-F]{1,6};|[a-zA-Z]{1,10};)", re.S)
PLANNED = ("plan", "ptw", "want", "wish")
DROPPED = ("drop", "given up", "abandon")
BULLET = re.compile(r"^\s*(?:[-*•·+]+|\d{1,4}[.):]|#\d+)\s+")
SCORE = re.compile(r"\s*(?:[-–—:|(\[]\s*|\t)(\d{1,2}(?:[.,]\d)?)\s*(?:/\s*(\d{1,3}))?\s*[)\]]?\s*$")


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


@dataclass
class Imported:
    """Rows by kind, and what could not be used."""

    rows: dict[str, list[int]] = field(default_factory=lambda: {"liked": [], "seen": [], "dropped": []})
    planned: int = 0
    unmatched: list[str] = field(default_factory=list)


def entries(raw: bytes) -> list[Entry]:
    """Whatever the list is, by its first characters."""
    data = unpacked(raw)
    start = data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if start == b"<":
        found = list(_xml(data))
    elif start in (b"{", b"["):
        found = list(_json(data))
    else:
        found = list(lines(data.decode("utf-8-sig", errors="replace")))
    if len(found) > MOST_ENTRIES:
        raise Refused(f"The list has more than {MOST_ENTRIES} entries.")
    return found


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


def lines(text: str) -> Iterator[Entry]:
    """One title a line; bullets, numbers and a score at the end are taken off."""
    for line in text.splitlines():
        title = BULLET.sub("", line).strip().strip('"').strip()
        score = 0.0
        if found := SCORE.search(title):
            best = float(found[2] or 10)
            value = float(found[1].replace(",", "."))
            if found.start() > 0 and 0 < value <= best and (found[2] or found.group().strip()[0] in "-–—|"):
                title, score = title[: found.start()].strip(), value / best
        if title:
            yield Entry(title[:300], score=score)


def _xml(data: bytes) -> Iterator[Entry]:
    """A MyAnimeList export; the bare ampersands that such files have are mended first."""
    try:
        for _, element in iterparse(io.BytesIO(BARE.sub(_mended, data)), forbid_dtd=True):
            if element.tag in ("anime", "manga", "entry"):
                yield _of_xml(element)
                element.clear()
    except DefusedXmlException:
        raise Refused("The file declares a document type or entities, which is not accepted.") from None
    except (ParseError, ValueError, LookupError, UnicodeError, AssertionError):
        raise Refused("The file is not XML that can be read: export the list again.") from None


def _mended(found: re.Match[bytes]) -> bytes:
    return b"&amp;" if found.group() == b"&" else found.group()


def _of_xml(element: Element) -> Entry:
    values = {child.tag.rpartition("_")[2]: (child.text or "").strip() for child in element}
    own = {child.tag: (child.text or "").strip() for child in element}
    number = own.get("series_animedb_id") or own.get("manga_mangadb_id") or ""
    status = own.get("my_status", "")
    score = _share(own.get("my_score"), 10)
    return Entry(values.get("title", "")[:300], (number,) if number else (), (), status, score)


def _json(data: bytes) -> Iterator[Entry]:
    """AniList's lists, wherever they stand in the document; else any objects with a title."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        raise Refused("The text begins like JSON but is none.") from None
    stack, seen = [document], 0
    while stack:
        value = stack.pop()
        seen += 1
        if isinstance(value, Mapping):
            if entry := _of_json(value):
                yield entry
            else:
                stack.extend(reversed(list(value.values())))
        elif isinstance(value, list):
            stack.extend(reversed(value))
        elif isinstance(value, str) and isinstance(document, list):
            yield Entry(value[:300])


def _of_json(value: Mapping[str, Any]) -> Entry | None:
    inner = value.get("media")
    media = inner if isinstance(inner, Mapping) else value
    title = media.get("title")
    names = [title] if isinstance(title, str) else []
    if isinstance(title, Mapping):
        order = ("english", "romaji", "userPreferred", "native")
        names = [title[key] for key in order if isinstance(title.get(key), str)]
    if not names:
        return None
    number = media.get("idMal")
    score = value.get("score")
    best = 10 if isinstance(score, int | float) and score <= 10 else 100
    return Entry(
        names[0][:300],
        (str(number),) if isinstance(number, int) else (),
        tuple(name[:300] for name in names[1:]),
        str(value.get("status") or "")[:40],
        _share(score, best),
    )


def _share(score: object, best: float) -> float:
    try:
        value = float(score) / best  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return 0.0
    return value if 0 < value <= 1 else 0.0


def matched(found: Iterable[Entry], row: Mapping[str, int], index: Index) -> Imported:
    """Entries -> rows: by id, else by an equal title, else by one that hardly differs."""
    done, guesses = Imported(), MOST_GUESSED
    for entry in found:
        if entry.kind == "planned":
            done.planned += 1
            continue
        by_id = _first(row.get(number) for number in entry.ids)
        names = (entry.title, *entry.others)
        place = by_id if by_id is not None else _first(map(index.equal, names))
        if place is None and guesses > 0:
            guesses -= 1
            place = _first(map(index.nearly, names))
        if place is None:
            done.unmatched.append(entry.title)
        elif place not in done.rows[entry.kind]:
            done.rows[entry.kind].append(place)
    return done


def _first(found: Iterable[int | None]) -> int | None:
    return next((row for row in found if row is not None), None)
