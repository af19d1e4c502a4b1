"""Where the values of a turn are in its translation: by dictionary, longest first.

A value of the source state has a translation by slot or by turn (`Alignment`); here it is looked up in the
translated words, in all its wordings that the ontology knows. Words that differ in a letter or two still
count, since a translator inflects: the nearest stretch of as many words, if at least `NEAR` alike.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

from lineshaft.dialogue.corpus.dialogue import Slot
from lineshaft.dialogue.corpus.ontology import Ontology
from lineshaft.dialogue.corpus.text import Word, plain, words

NEAR = 0.8


@dataclass(frozen=True)
class Span:
    """A value and where it stands in a text, as characters; `alike` is 1 where it stands word for word."""

    slot: Slot
    value: str
    start: int
    end: int
    alike: float


def align(text: str, slot: Slot, value: str, ontology: Ontology | None = None) -> Span | None:
    """The best place of a value in a text, None where nothing is near enough."""
    said = words(text)
    best: Span | None = None
    for wording in _wordings(slot, value, ontology):
        found = _nearest(said, [word.text for word in words(wording)])
        if found and (best is None or found[2] > best.alike):
            best = Span(slot, value, said[found[0]].start, said[found[1] - 1].end, found[2])
    return best


def _wordings(slot: Slot, value: str, ontology: Ontology | None) -> Iterable[str]:
    yield value
    if ontology is not None:
        meant = ontology.canonical(slot, value)
        names = ontology.surfaces.get(slot, {})
        yield from sorted(
            (name for name, canonical in names.items() if canonical == meant), key=len, reverse=True
        )
    else:
        yield plain(value)


def _nearest(said: list[Word], wanted: list[str]) -> tuple[int, int, float] | None:
    if not wanted:
        return None
    target, best = " ".join(wanted), None
    for start in range(len(said) - len(wanted) + 1):
        end = start + len(wanted)
        alike = Levenshtein.normalized_similarity(target, " ".join(word.text for word in said[start:end]))
        if alike >= NEAR and (best is None or alike > best[2]):
            best = (start, end, alike)
    return best
