"""Calm output: aligned text for people, JSON for programs; results on stdout, everything else on stderr."""

import json
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

RUNS_HELP = "folder of runs (default: $LINESHAFT_RUNS, else ./runs)"


def runs_folder(given: Path | None) -> Path:
    """--runs, else $LINESHAFT_RUNS, else ./runs."""
    return given or Path(os.environ.get("LINESHAFT_RUNS") or "runs")


def register(app: Any, function: Callable[..., Any], **options: Any) -> None:
    """Make a function a verb; its line in the list of verbs is the first sentence of its docstring, whole."""
    first = " ".join((function.__doc__ or "").split("\n\n")[0].split())
    app.command(short_help=re.split(r"(?<=\.)\s", first)[0], **options)(function)


def say(text: str) -> None:
    """Print a message on standard error."""
    print(text, file=sys.stderr, flush=True)


def print_json(value: Any) -> None:
    """JSON and nothing else on standard output; NaN as null, since JSON has none."""
    text = json.dumps(finite(value), indent=1, ensure_ascii=False, default=str)
    print(text.encode(errors="backslashreplace").decode())


def plain(text: str, keep: str = "") -> str:
    """The text with control characters, line breaks and undecodable bytes spelled out, as `\\x1b`."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else c.encode("unicode_escape").decode() for c in text)


def finite(value: Any) -> Any:
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    if isinstance(value, Mapping):
        return {k: finite(v) for k, v in value.items()}
    return [finite(v) for v in value] if isinstance(value, list | tuple) else value


def print_table(rows: Sequence[Sequence[Any]], header: Sequence[str]) -> None:
    """Columns aligned, numbers to the right; nothing is cut, so that a pipe sees all."""
    text = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in [list(header), *text]) for i in range(len(header))]
    right = [bool(text) and all(is_number(row[i]) for row in text) for i in range(len(header))]
    for row in [list(header), *text]:
        cells = [c.rjust(w) if r else c.ljust(w) for c, w, r in zip(row, widths, right)]
        print("  ".join(cells).rstrip())


def is_number(text: str) -> bool:
    return (
        text.replace("±", "").strip("-+%*~ ").replace(".", "").replace(",", "").replace(" ", "").isdigit()
        or not text
    )


def last_line(path: Path) -> str:
    """The last line of an error file, at most 200 characters."""
    lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines() if path.exists() else []
    return lines[-1][:200] if lines else "no message"
