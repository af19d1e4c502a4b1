"""Sweeps: words with several values, and the cells of their product.

A comma outside brackets and quotes makes a sweep, `a..b` is an inclusive range of integers; see `series`.
"""

import itertools
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from lineshaft.engine.errors import RequestError
from lineshaft.engine.spec.config import Config
from lineshaft.engine.spec.series import LOG, series
from lineshaft.engine.spec.words import build

KEY = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
MOST_CELLS = 100_000
C = TypeVar("C", bound=Config)


def split(word: str) -> tuple[str, list[str]]:
    """`lr=0.1,0.2` -> ("lr", ["0.1", "0.2"])."""
    key, equals, text = word.partition("=")
    if not equals or not KEY.fullmatch(key):
        raise RequestError(f"{word[:80]!r} is not a word of the form key=value")
    return key, expand(key, text)


def expand(key: str, text: str) -> list[str]:
    """The values of one word: taken apart at commas, ranges and series counted out."""
    refuse_quotes(key, text)
    values = []
    for item in commas(text):
        values += series(key, item) or [item]
    return values


def refuse_quotes(key: str, text: str) -> None:
    """Python's quotes and parentheses mean nothing here: say which words do what they seem to ask for."""
    if len(text) < 3 or "," not in text or (text[0], text[-1]) not in (("(", ")"), ("'", "'")):
        return
    inner = text[1:-1]
    if text[0] == "(":
        raise RequestError(
            f"{key}={text[:80]}: for one value of several parts write {key}=[{inner[:60]}], "
            f"for a sweep {key}={inner[:60]}"
        )
    raise RequestError(
        f"{key}={text[:80]}: for one text write '{key}=\"{inner[:60]}\"', for a sweep {key}={inner[:60]}"
    )


def commas(text: str) -> list[str]:
    """Split at commas outside brackets and double quotes; a quote opens a value or stands in brackets."""
    items, start, depth, i = [], 0, 0, 0
    while i < len(text):
        char = text[i]
        if i == start and (counted := LOG.match(text, i)):
            i = counted.end()
            continue
        if char == '"' and (depth or i == start):
            i = closing_quote(text, i)
        elif char in "[{":
            depth += 1
        elif char in "]}":
            depth = max(depth - 1, 0)
        elif char == "," and not depth:
            items.append(text[start:i])
            start = i + 1
        i += 1
    return [*items, text[start:]]


def closing_quote(text: str, opening: int) -> int:
    """Index of the quote that closes the JSON string opened at `opening`, or of the last character."""
    i = opening + 1
    while i < len(text) and text[i] != '"':
        i += 2 if text[i] == "\\" else 1
    return min(i, len(text) - 1)


def grid(model: type[C], words: Sequence[str]) -> list[C]:
    """The cells of the product over all words, in the order given, each configuration once."""
    return distinct(build(model, raw) for raw in product(words))


def grid_over(config: C, words: Sequence[str]) -> list[C]:
    """The same around one configuration instead of the defaults."""
    return distinct(build(type(config), raw, config) for raw in product(words))


def product(words: Sequence[str]) -> Iterator[dict[str, str]]:
    """Every combination of one value for each key; RequestError above MOST_CELLS."""
    pairs = [split(word) for word in words]
    keys = [key for key, _ in pairs]
    for key in keys:
        if keys.count(key) > 1:
            raise RequestError(f"{key} is given twice; write {key}=a,b for a sweep")
    if (count := math.prod(len(values) for _, values in pairs)) > MOST_CELLS:
        raise RequestError(f"the grid has {count:,} cells; at most {MOST_CELLS:,}: sweep fewer values")
    return (dict(zip(keys, cell)) for cell in itertools.product(*(values for _, values in pairs)))


def distinct(cells: Iterable[C]) -> list[C]:
    return list({cell.model_dump_json(): cell for cell in cells}.values())
