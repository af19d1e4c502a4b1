"""Exports of other sites: MyAnimeList's XML, JSON of AniList, SIMKL and MyAnimeList's API."""

import io
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from lineshaft.recommend.site.lists import (
    LONGEST,
    MOST_ENTRIES,
    Entry,
    Refused,
    first_of,
    plain_number,
    scored,
)

BARE = re.compile(r"&(?!#\d{1,7};|#x[0-9a-fA-F]{1,6};|[a-zA-Z]{1,10};)")
DECLARATION = re.compile(r"<\?xml[^>]{0,200}\?>")
INNER = ("media", "show", "movie", "node", "anime", "manga")
"""What an entry of a list calls the work that it is about."""
FEWEST_SCORES = 5
MOST_VALUES = 500_000
"""Values of a document that are looked at."""


def xml(text: str) -> Iterator[Entry]:
    """A MyAnimeList export; the bare ampersands that such files have are mended first."""
    text = text.lstrip()
    start = declared.end() if (declared := DECLARATION.match(text)) else 0  # its encoding is no longer true
    document = io.BytesIO(mended(text[start:]).encode("utf-8", "replace"))
    found: list[tuple[Entry, float]] = []
    try:
        for _, element in iterparse(document, forbid_dtd=True):
            if element.tag in ("anime", "manga", "entry"):
                found.append(_of_xml(element))
                element.clear()
            if len(found) > MOST_ENTRIES:
                break
    except DefusedXmlException:
        raise Refused("The file declares a document type or entities, which is not accepted.") from None
    except (ParseError, ValueError, LookupError, UnicodeError, AssertionError):
        raise Refused("The file is not XML that can be read: export the list again.") from None
    return scored(found, FEWEST_SCORES)


def mended(text: str) -> str:
    """Bare ampersands written as XML wants them, except where a CDATA section holds them."""
    parts, at = [], 0
    while (start := text.find("<![CDATA[", at)) >= 0 and (end := text.find("]]>", start)) >= 0:
        parts += [BARE.sub("&amp;", text[at:start]), text[start : end + 3]]
        at = end + 3
    return "".join([*parts, BARE.sub("&amp;", text[at:])])


def _of_xml(element: Element) -> tuple[Entry, float]:
    own = {child.tag: (child.text or "").strip() for child in element}
    title = str(first_of(own, ("series_title", "manga_title", "title")) or "")
    number = str(first_of(own, ("series_animedb_id", "manga_mangadb_id")) or "")
    entry = Entry(title[:LONGEST], (number,) if number else (), (), own.get("my_status", "")[:40])
    return entry, plain_number(own.get("my_score"))


def json_lists(text: str) -> Iterator[Entry]:
    """Entries wherever they stand in the document; else any objects with a title, or titles alone."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise Refused("The text begins like JSON but is none.") from None
    stack, found, looked = [document], list[tuple[Entry, float]](), 0
    while stack and len(found) <= MOST_ENTRIES:
        value = stack.pop()
        if (looked := looked + 1) > MOST_VALUES:
            raise Refused("The document holds too much that is no list of titles.")
        if isinstance(value, Mapping):
            if entry := _of_json(value):
                found.append(entry)
            else:
                stack.extend(reversed(list(value.values())))
        elif isinstance(value, list):
            stack.extend(reversed(value))
        elif isinstance(value, str) and isinstance(document, list):
            found.append((Entry(value[:LONGEST]), 0.0))
    return scored(found, FEWEST_SCORES)


def _of_json(value: Mapping[str, Any]) -> tuple[Entry, float] | None:
    inner = next((value[name] for name in INNER if isinstance(value.get(name), Mapping)), None)
    work: Mapping[str, Any] = value if inner is None else inner
    names = _names(work.get("title"))
    if not names:
        return None
    status = value.get("list_status")
    about = status if isinstance(status, Mapping) else value
    ids = work.get("ids")
    numbers = [work.get("idMal"), work.get("mal_id"), ids.get("mal") if isinstance(ids, Mapping) else None]
    numbers.append(work.get("id") if work is value.get("node") else None)
    entry = Entry(
        names[0],
        tuple(str(n) for n in numbers if isinstance(n, int | str) and str(n)[:12].isdigit()),
        names[1:],
        str(first_of(about, ("status", "watching_status")) or "")[:40],
    )
    return entry, plain_number(first_of(about, ("score", "user_rating", "rating")))


def _names(title: object) -> tuple[str, ...]:
    """A title, or AniList's titles by language."""
    if isinstance(title, str):
        return (title[:LONGEST],) if title.strip() else ()
    if not isinstance(title, Mapping):
        return ()
    order = ("english", "romaji", "userPreferred", "native")
    found = (title[key][:LONGEST] for key in order if isinstance(title.get(key), str) and title[key].strip())
    return tuple(dict.fromkeys(found))
