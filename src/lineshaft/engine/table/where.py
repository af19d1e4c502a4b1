"""Conditions on stored parameters: `method=der,si`, `seed=0..4`, `lr>=0.01`, `parent.lr!=0.1`."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lineshaft.engine.errors import RequestError
from lineshaft.engine.spec.grid import KEY, expand

WORD = re.compile(r"(?P<key>[^=<>!]+)(?P<sign>!=|<=|>=|=|<|>)(?P<text>.*)", re.DOTALL)
ORDERS = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


@dataclass(frozen=True)
class Condition:
    """One word; several values are alternatives."""

    key: str
    sign: str
    texts: tuple[str, ...]

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Whether a run with these flattened values meets it; a run without the parameter never does."""
        if self.key not in values:
            return False
        value = values[self.key]
        if self.sign in ORDERS:
            number = as_number(value)
            return number is not None and ORDERS[self.sign](number, float(self.texts[0]))
        return any(same(value, text) for text in self.texts) == (self.sign == "=")


def parsed(word: str) -> Condition:
    match = WORD.fullmatch(word)
    if not match or not KEY.fullmatch(match["key"]):
        raise RequestError(
            f"{word[:80]!r} is not a condition; write key=value, key=a,b, key!=value, key<value or key>=value"
        )
    key, sign, text = match["key"], match["sign"], match["text"]
    if sign not in ORDERS:
        return Condition(key, sign, tuple(expand(key, text)))
    if as_number(text) is None:
        raise RequestError(f"{word[:80]!r}: {sign} compares numbers, and {text[:40]!r} is not one")
    return Condition(key, sign, (text,))


def same(value: Any, text: str) -> bool:
    """Whether a stored JSON value is what the text means: null, true, a number, a list, or the text."""
    return any(type(v) is type(value) and v == value for v in readings(text)) or (
        not isinstance(value, bool) and as_number(value) is not None and as_number(value) == as_number(text)
    )


def readings(text: str) -> Iterator[Any]:
    yield text
    if text == "none":
        yield None
    if text.lower() in ("true", "false"):
        yield text.lower() == "true"
    try:
        yield json.loads(text)
    except (ValueError, RecursionError):
        return


def as_number(value: Any) -> float | None:
    """Numbers, also those stored as text because JSON has no infinity."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None
