"""Checks of a translated corpus: what is probably wrong, where, why, and what to do about it.

Every finding names its check, the dialogue and turn, the cause and a fix, so that a person who post-edits
need not guess what an "API call likely failed" means.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from statistics import median

from lineshaft.dialogue.corpus.dialogue import Dialogue, Turn
from lineshaft.dialogue.corpus.ontology import ABSENT, INDIFFERENCE, Ontology
from lineshaft.dialogue.corpus.state import diff
from lineshaft.dialogue.corpus.text import plain
from lineshaft.dialogue.translate.align import align

NUMBER = re.compile(r"\d+(?:[.:]\d+)?")
SILENT = frozenset(("yes", "no", "true", "false"))


@dataclass(frozen=True)
class Finding:
    """One thing that is probably wrong."""

    check: str
    dialogue: str
    turn: int
    cause: str
    fix: str

    def record(self) -> dict[str, object]:
        return asdict(self)


Check = Callable[[Dialogue, Ontology | None], Iterator[Finding]]


def checked(
    dialogues: Iterable[Dialogue],
    ontology: Ontology | None = None,
    waived: Iterable[tuple[str, str, int]] = (),
) -> list[Finding]:
    """Findings of all checks, dialogue by dialogue; `waived` are (check, dialogue, turn) to leave out."""
    dialogues, skipped = list(dialogues), set(waived)
    found = [finding for each in dialogues for check in CHECKS for finding in check(each, ontology)]
    found += lengths(dialogues)
    return [each for each in found if (each.check, each.dialogue, each.turn) not in skipped]


def values(dialogue: Dialogue, ontology: Ontology | None) -> Iterator[Finding]:
    """A value that a turn sets must stand in its words or in what the agent did, else no model can learn
    it."""
    for number, turn in enumerate(dialogue.turns):
        if not dialogue.learnable(number):
            continue
        told = {plain(name) for act in turn.acts if act.value for name in act.value.values}
        before = dialogue.previous(number)
        held = {plain(name) for value in before.values() for name in value.values}
        for slot, value in diff(before, turn.state or {}).assigned.items():
            for name in value.values:
                unsaid = plain(name) in SILENT | INDIFFERENCE | ABSENT | told | held
                if not unsaid and align(turn.user, slot, name, ontology) is None:
                    cause = f"{slot}: {name!r} stands neither in the words nor in the agent's acts"
                    yield Finding(
                        "value", dialogue.id, number, cause, f"say {name!r} in the turn, or correct the value"
                    )


def untranslated(dialogue: Dialogue, ontology: Ontology | None) -> Iterator[Finding]:
    """Words of the source's script in the translation are left over."""
    for number, turn in enumerate(dialogue.turns):
        if turn.original is None or turn.original == turn.user:
            if turn.original and any(character.isalpha() for character in turn.user):
                yield Finding(
                    "same", dialogue.id, number, "the translation is the source text", "translate it"
                )
            continue
        left = _script(turn.original) & _script(turn.user) - {"LATIN"}
        if left:
            cause = f"{', '.join(sorted(left))} letters are left over"
            yield Finding("untranslated", dialogue.id, number, cause, "translate the rest of the turn")


def numbers(dialogue: Dialogue, ontology: Ontology | None) -> Iterator[Finding]:
    """Numbers, times and dates in digits must survive."""
    for number, turn in enumerate(dialogue.turns):
        if turn.original is None:
            continue
        before, after = (sorted(NUMBER.findall(_digits(text))) for text in (turn.original, turn.user))
        lost = [each for each in before if each not in after]
        if lost:
            yield Finding("number", dialogue.id, number, f"lost: {', '.join(lost)}", "put the numbers back")


def empty(dialogue: Dialogue, ontology: Ontology | None) -> Iterator[Finding]:
    """A turn that said something must not become silent."""
    for number, turn in enumerate(dialogue.turns):
        if turn.original and turn.original.strip() and not turn.user.strip():
            yield Finding("empty", dialogue.id, number, "the translation is empty", "translate it again")


CHECKS: tuple[Check, ...] = (values, untranslated, numbers, empty)


def lengths(dialogues: Iterable[Dialogue]) -> Iterator[Finding]:
    """A translation much longer or shorter than the others of the corpus has lost or invented something."""
    turns = [(d.id, i, turn) for d in dialogues for i, turn in enumerate(d.turns) if _comparable(turn)]
    if len(turns) < 20:
        return
    ratios = [len(turn.user) / len(turn.original or "") for _, _, turn in turns]
    middle = median(ratios)
    for (name, number, _), ratio in zip(turns, ratios):
        if not middle / 3 < ratio < middle * 3:
            cause = f"{ratio / middle:.1f} times as long as others of its corpus"
            yield Finding("length", name, number, cause, "compare the turn with its source")


def _comparable(turn: Turn) -> bool:
    return turn.original is not None and len(turn.original) >= 6 and bool(turn.user.strip())


def _script(text: str) -> set[str]:
    return {unicodedata.name(c, "?").split()[0] for c in text if c.isalpha()}


def _digits(text: str) -> str:
    return unicodedata.normalize("NFKC", text)
