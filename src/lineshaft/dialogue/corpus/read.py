"""Dialogues of a file, whatever form it has: one's own lines, or that of a published corpus."""

from __future__ import annotations

import json
import lzma
import zipfile
from pathlib import Path
from typing import Any

from lineshaft.dialogue.corpus import jsonl
from lineshaft.dialogue.corpus.faults import Reading
from lineshaft.dialogue.corpus.readers import bitod, convlab, risawoz, subtask, woz
from lineshaft.engine import RequestError

FORMS = (subtask, risawoz, woz, convlab, bitod)
"""Modules with `recognises(data)` and `read(data, reading, language)`; the first that fits is used."""


def read(path: Path, language: str = "und") -> Reading:
    """The dialogues of a .jsonl, .json, .json.xz or .zip file, with what was wrong in it."""
    if not path.is_file():
        near = sorted(other.name for other in path.parent.glob("*.json*"))[:5] if path.parent.is_dir() else []
        raise RequestError(f"{path} is not a file" + (f"; there are {', '.join(near)}" if near else ""))
    if ".jsonl" in path.suffixes:
        return jsonl.read(path)
    data, reading = _content(path), Reading(path)
    for form in FORMS:
        if form.recognises(data):
            form.read(data, reading, language)
            return reading
    raise RequestError(f"{path} has none of the known forms: see docs/dialogue.md, or write it as .jsonl")


def _content(path: Path) -> Any:
    try:
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                return json.loads(archive.read(archive.namelist()[0]))
        opener = lzma.open if path.suffix == ".xz" else open
        with opener(path, "rt", encoding="utf-8") as file:
            return json.load(file)
    except UnicodeDecodeError as error:
        raise RequestError(
            f"{path} is not UTF-8 ({error}): convert it, as by iconv -f latin1 -t utf-8"
        ) from error
    except (OSError, EOFError, ValueError, lzma.LZMAError, zipfile.BadZipFile) as error:
        raise RequestError(
            f"{path} cannot be read as JSON ({error}); lines of JSON need the ending .jsonl"
        ) from error
