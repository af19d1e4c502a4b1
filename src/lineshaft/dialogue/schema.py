"""What can be said: which words name which value of which slot, and which slots have few, fixed values."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from lineshaft.dialogue.corpus import Slot, State, Value

WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?|\?")
ARTICLE = re.compile(r"^(?:an?|the)\s+")
LONGEST = 8


class Word(NamedTuple):
    """A lower-case word and where it stands in its text."""

    text: str
    start: int
    end: int


class Mention(NamedTuple):
    """Words `start` to `end` (exclusive) of a text name these (slot, canonical value) pairs."""

    start: int
    end: int
    readings: tuple[tuple[Slot, str], ...]


CanonicalState = dict[Slot, tuple[str, frozenset[str]]]


def words(text: str) -> list[Word]:
    """The words of a text, and its question marks."""
    return [Word(match[0].lower(), match.start(), match.end()) for match in WORD.finditer(text)]


def plain(value: str) -> str:
    """A value without case, outer spaces or a leading English article."""
    return ARTICLE.sub("", value.strip().lower())


@dataclass(frozen=True)
class Ontology:
    """The values of a domain's slots: `surfaces[slot]` maps plain words to the canonical value they stand
    for.

    `closed` slots take one of a few values that users express in words of their own ("is there parking?"),
    so these values are always candidates. `silent` surfaces canonicalise but are not looked for in text
    ("yes" names a value of many slots). `verbatim` says that annotations keep the user's wording, as
    X-RiSAWOZ does, else they use the canonical name.
    """

    surfaces: Mapping[Slot, Mapping[str, str]]
    closed: Mapping[Slot, tuple[str, ...]]
    silent: frozenset[str] = frozenset()
    verbatim: bool = True

    @cached_property
    def domains(self) -> tuple[str, ...]:
        return tuple(sorted({slot.domain for slot in self.surfaces}))

    @cached_property
    def values(self) -> dict[Slot, frozenset[str]]:
        """Canonical values a slot can take."""
        return {slot: frozenset(names.values()) for slot, names in self.surfaces.items()}

    def canonical(self, slot: Slot, value: str) -> str:
        """The name under which values that mean the same are compared; unknown values keep their own."""
        name = plain(value)
        return self.surfaces.get(slot, {}).get(name, name)

    def canonical_value(self, slot: Slot, value: Value) -> tuple[str, frozenset[str]]:
        return value.relation, frozenset(self.canonical(slot, name) for name in value.values)

    def canonical_state(self, state: State) -> CanonicalState:
        return {slot: self.canonical_value(slot, value) for slot, value in state.items()}

    def mentions(self, text: list[Word]) -> list[Mention]:
        """Every longest stretch of words that names a value; a mention inside a longer one is dropped."""
        found = [
            Mention(start, end, readings)
            for start in range(len(text))
            for end in range(start + 1, min(start + LONGEST, len(text)) + 1)
            if (readings := self._readings.get(tuple(word.text for word in text[start:end])))
        ]
        return [mention for mention in found if not any(_inside(mention, other) for other in found)]

    @cached_property
    def _readings(self) -> dict[tuple[str, ...], tuple[tuple[Slot, str], ...]]:
        index = defaultdict(dict)
        for slot, names in sorted(self.surfaces.items()):
            for surface, canonical in sorted(names.items()):
                phrase = tuple(word.text for word in words(surface))
                if phrase and len(phrase) <= LONGEST and surface not in self.silent:
                    index[phrase].setdefault((slot, canonical))
        return {phrase: tuple(readings) for phrase, readings in index.items()}


def surfaces(entries: Iterable[tuple[Slot, str, Iterable[str]]]) -> dict[Slot, dict[str, str]]:
    """`Ontology.surfaces` from (slot, canonical value, synonyms); a value's own name outranks a synonym."""
    table: dict[Slot, dict[str, str]] = defaultdict(dict)
    entries = [(slot, plain(canonical), list(others)) for slot, canonical, others in entries]
    for slot, canonical, others in entries:
        for other in others:
            table[slot].setdefault(plain(other), canonical)
    for slot, canonical, _ in entries:
        table[slot][canonical] = canonical
    return dict(table)


def _inside(mention: Mention, other: Mention) -> bool:
    longer = other.end - other.start > mention.end - mention.start
    return longer and other.start <= mention.start and mention.end <= other.end
