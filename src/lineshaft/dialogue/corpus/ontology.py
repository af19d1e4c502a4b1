"""What can be said: which words name which value of which slot, and which slots have few, fixed values."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from lineshaft.dialogue.corpus.dialogue import Dialogue, Slot, State, Value
from lineshaft.dialogue.corpus.text import Word, plain, stems, words

INDIFFERENT = "dontcare"
INDIFFERENCE = frozenset(
    [
        *("dontcare", "dont care", "don't care", "do n't care", "do not care"),
        *("doesn't matter", "does not matter", "不在意", "无所谓", "都可以"),
        *("상관없음", "상관없어요", "peu importe", "कोई फ़र्क नहीं पड़ता"),
    ]
)
"""Ways in which annotations say that any value will do."""
ABSENT = frozenset(("", "none", "null", "not mentioned", "not given", "未提及", "无"))
"""Ways in which annotations say that a slot has no value."""
FEW = 10
"""A slot with at most this many values, each seen twice, is closed where no list says so."""


class Mention(NamedTuple):
    """Words `start` to `end` (exclusive) of a text name these (slot, canonical value) pairs."""

    start: int
    end: int
    readings: tuple[tuple[Slot, str], ...]


CanonicalState = dict[Slot, tuple[str, frozenset[str]]]


@dataclass(frozen=True)
class Ontology:
    """The values of a domain's slots: `surfaces[slot]` maps plain words to the canonical value they stand
    for.

    `closed` slots take one of a few values that users express in words of their own ("is there parking?"),
    so these values are always candidates. `several` slots can have more than one value at once. `silent`
    surfaces canonicalise but are not looked for in text ("yes" names a value of many slots). `verbatim` says
    that annotations keep the user's wording, as X-RiSAWOZ does, else they use the canonical name, as
    `written` spells it.
    """

    surfaces: Mapping[Slot, Mapping[str, str]]
    closed: Mapping[Slot, tuple[str, ...]]
    silent: frozenset[str] = frozenset()
    verbatim: bool = True
    several: frozenset[Slot] = frozenset()
    written: Mapping[tuple[Slot, str], str] = field(default_factory=dict)

    def spelling(self, slot: Slot, canonical: str) -> str:
        """How annotations write a canonical value."""
        return self.written.get((slot, canonical), canonical)

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
        if name in INDIFFERENCE:
            return INDIFFERENT
        return self.surfaces.get(slot, {}).get(name, name)

    def canonical_value(self, slot: Slot, value: Value) -> tuple[str, frozenset[str]]:
        """A value's relation and what its names stand for; kept, since systems meet the same values."""
        key = (slot, value)
        if key not in self._meant:
            names = frozenset(self.canonical(slot, name) for name in value.values)
            self._meant[key] = (value.relation, names - ABSENT if len(names) > 1 else names)
        return self._meant[key]

    @cached_property
    def _meant(self) -> dict[tuple[Slot, Value], tuple[str, frozenset[str]]]:
        return {}

    def canonical_state(self, state: State) -> CanonicalState:
        """The state by what it means; a slot whose only value says that it has none is left out."""
        found = {slot: self.canonical_value(slot, value) for slot, value in state.items()}
        return {slot: value for slot, value in found.items() if not value[1] <= ABSENT}

    def mentions(self, text: Sequence[Word]) -> list[Mention]:
        """Every longest stretch of words that names a value; a mention inside a longer one is dropped."""
        found, reached = [], 0
        for start in range(len(text)):
            ending = self._named_from(text, start)
            if ending:
                longest = ending[-1]
                if longest.end > reached:
                    found.append(longest)
                    reached = longest.end
        return found

    def _named_from(self, text: Sequence[Word], start: int) -> list[Mention]:
        """Mentions that begin at a word, shorter ones first."""
        first = text[start]
        if not first.opens and "\uac00" <= first.text[0] <= "\ud7a3":
            return []  # within a written Korean word, where no name begins
        found: dict[int, Mention] = {}
        for opening in (first.text, *stems(first.text)):
            node = self._trie.get(opening)
            end = start + 1
            while node is not None:
                if (readings := node.get("")) and text[end - 1].ends:
                    found.setdefault(end, Mention(start, end, readings))
                node = node.get(text[end].text) if end < len(text) else None
                end += 1
        return [found[end] for end in sorted(found)]

    @cached_property
    def _trie(self) -> dict[str, Any]:
        """Words of a name, one after the other -> ... -> "" -> its readings."""
        root: dict[str, Any] = {}
        for phrase, readings in self._readings.items():
            node = root
            for word in phrase:
                node = node.setdefault(word, {})
            node[""] = readings
        return root

    @cached_property
    def _readings(self) -> dict[tuple[str, ...], tuple[tuple[Slot, str], ...]]:
        index: dict[tuple[str, ...], dict[tuple[Slot, str], None]] = defaultdict(dict)
        for slot, names in sorted(self.surfaces.items()):
            for surface, canonical in sorted(names.items()):
                phrase = tuple(word.text for word in words(surface))
                if phrase and surface not in self.silent and canonical != INDIFFERENT:
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


def observed(labelled: Sequence[Dialogue]) -> Ontology:
    """The ontology that labelled dialogues show: values of their states and of the agent's acts.

    Closed are slots with few values, all seen at least twice, in states: yes and no, three price ranges. It
    holds no value of a dialogue that is not given here, so an inventory of training dialogues stays open.
    """
    counts: dict[Slot, Counter[str]] = defaultdict(Counter)
    offered: dict[Slot, set[str]] = defaultdict(set)
    written: dict[tuple[Slot, str], str] = {}
    several = set()
    for turn in (turn for dialogue in labelled for turn in dialogue.turns):
        for slot, value in (turn.state or {}).items():
            counts[slot].update({plain(name) for name in value.values} - ABSENT)
            for name in value.values:
                written.setdefault((slot, plain(name)), name)
            if len(value.values) > 1:
                several.add(slot)
        for act in turn.acts:
            if act.slot and act.value:
                offered[Slot(act.domain, act.slot)].update(act.value.values)
    entries = [
        (slot, INDIFFERENT if name in INDIFFERENCE else name, ())
        for slot in sorted(counts.keys() | offered.keys())
        for name in sorted(set(counts[slot]) | {plain(name) for name in offered[slot]} - ABSENT)
    ]
    table = surfaces(entries)
    closed = {slot: _closed(count, table[slot]) for slot, count in sorted(counts.items()) if count}
    silent = frozenset(("yes", "no", "true", "false", "是", "否", "有", "没有"))
    kept = {slot: values for slot, values in closed.items() if values}
    return Ontology(table, kept, silent, False, frozenset(several), written)


def _closed(count: Counter[str], names: Mapping[str, str]) -> tuple[str, ...]:
    """Values that are always candidates: all of a slot with few, else only that any value will do."""
    values = sorted({names.get(name, INDIFFERENT) for name in count})
    if len(values) <= FEW and min(count.values()) > 1:
        return tuple(values)
    return (INDIFFERENT,) if INDIFFERENT in values else ()
