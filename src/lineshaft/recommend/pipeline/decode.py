"""Bytes of a page -> text, as the HTML standard orders the evidence: mark, header, the page's own word.

A name of an encoding that does not fit the bytes is not believed: UTF-8 is tried, then Windows-1252 takes
whatever is left. `guessed` says that the page or its server was wrong, so that it can be counted.
"""

import codecs
import re

MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
HEADER = re.compile(r"charset=[\"']?([\w.:-]+)", re.I)
META = re.compile(rb"<meta[^>]+charset=[\"']?([\w.:-]+)", re.I)


def decode(body: bytes, content_type: str = "") -> tuple[str, bool]:
    """The text, and whether its encoding had to be guessed."""
    for mark, name in MARKS:
        if body.startswith(mark):
            return body[len(mark) :].decode(name, errors="replace"), False
    for name in named(body, content_type):
        try:
            return body.decode(name), False
        except UnicodeDecodeError:
            break
    try:
        return body.decode("utf-8"), bool(named(body, content_type))
    except UnicodeDecodeError:
        return body.decode("cp1252", errors="replace"), True


def named(body: bytes, content_type: str) -> list[str]:
    """Encodings that the header or the page names and that exist; the header counts first."""
    found = [m.group(1) for m in (HEADER.search(content_type),) if m]
    found += [m.group(1).decode("ascii") for m in (META.search(body[:2048]),) if m]
    return [standard(name) for name in found if standard(name)]


def standard(name: str) -> str:
    """Python's name of a text encoding; as on the web, Latin-1 means Windows-1252. "" where unknown."""
    try:
        found = codecs.lookup(name).name
        "".encode(found)
    except (LookupError, UnicodeError, ValueError):
        return ""
    return "cp1252" if found in ("iso8859-1", "ascii") else found
