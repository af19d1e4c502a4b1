"""Reading the files of a corpus, with errors that name the file."""

from __future__ import annotations

import json
import lzma
import tarfile
from pathlib import Path
from typing import Any

from lineshaft.engine import RequestError


def read_json(path: Path) -> Any:
    """The content of a .json or .json.xz file."""
    opener = lzma.open if path.suffix == ".xz" else open
    try:
        with opener(path, "rt", encoding="utf-8") as file:
            return json.load(file)
    except (OSError, EOFError, ValueError, lzma.LZMAError) as error:
        raise RequestError(
            f"{path} cannot be read as JSON ({error}): fetch it again from its source"
        ) from error


def read_json_member(path: Path, name: str) -> Any:
    """The content of one .json file of a .tar.xz archive."""
    try:
        with tarfile.open(path) as archive:
            return json.load(archive.extractfile(name))  # type: ignore[arg-type]
    except (OSError, KeyError, ValueError, tarfile.TarError, lzma.LZMAError) as error:
        raise RequestError(
            f"{name} of {path} cannot be read ({error}): fetch it again from its source"
        ) from error
