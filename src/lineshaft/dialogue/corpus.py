"""A corpus of task-oriented dialogues: who said what, and which constraints (the state) hold after each
turn.

A turn is seen from the agent's side, in the distilled form of X-RiSAWOZ (Moradshahi et al., ACL Findings
2023): the agent's side as formal acts, the user's side as text, the state after the user has spoken.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

RELATIONS = ("equal_to", "not", "less_than", "at_least", "one_of")
Provenance = Literal["gold", "projected", "auto"]


class Slot(NamedTuple):
    """A constraint a user can state, such as the area of a hotel."""

    domain: str
    name: str

    def __str__(self) -> str:
        return f"{self.domain}-{self.name}"


@dataclass(frozen=True)
class Value:
    """What a slot is constrained to; "don't care" is a value like any other, no value at all is none."""

    values: tuple[str, ...]
    relation: str = "equal_to"

    def __post_init__(self) -> None:
        if not self.values:
            raise ValueError(
                "a Value needs at least one value; a slot without a value is left out of the state"
            )
        if self.relation not in RELATIONS:
            raise ValueError(f"unknown relation {self.relation!r}; known: {', '.join(RELATIONS)}")


State = dict[Slot, Value]


@dataclass(frozen=True)
class Act:
    """One agent act, such as `( hotel ) recommend name equal_to " Hilton "` or `( hotel ) request area`."""

    domain: str
    name: str
    slot: str | None = None
    value: Value | None = None


@dataclass(frozen=True)
class Turn:
    """What the agent did, what the user then said, and the state after both.

    `provenance` says where `state` comes from: people ("gold"), people through a translation ("projected"),
    or a model ("auto", with its `score`).
    """

    user: str
    state: State
    acts: tuple[Act, ...] = ()
    provenance: Provenance = "gold"
    score: float | None = None


@dataclass(frozen=True)
class Dialogue:
    id: str
    turns: tuple[Turn, ...]
    language: str = "en"

    def previous(self, number: int) -> State:
        """The state before turn `number`, counted from 0."""
        return self.turns[number - 1].state if number else {}

    def annotated(self, states: Sequence[State], scores: Sequence[float]) -> Dialogue:
        """This dialogue with a model's states in place of its own."""
        turns = (
            replace(turn, state=state, provenance="auto", score=score)
            for turn, state, score in zip(self.turns, states, scores, strict=True)
        )
        return replace(self, turns=tuple(turns))


def turns(dialogues: Sequence[Dialogue]) -> Iterator[tuple[Dialogue, int]]:
    """Every turn of a corpus as (dialogue, number), in order."""
    return ((dialogue, number) for dialogue in dialogues for number in range(len(dialogue.turns)))


@dataclass(frozen=True)
class Fold:
    """Indices of target dialogues whose gold is hidden from training, and of those systems are tested on."""

    unlabelled: tuple[int, ...]
    test: tuple[int, ...]


@dataclass(frozen=True)
class Material:
    """All that one round of the loop needs.

    `source` is labelled and translated into the target language, `target` is natural text (gold kept for the
    bounds and the test), `validation` is disjoint from both. No dialogue is in `unlabelled` and `test` of
    the same fold.
    """

    name: str
    source: list[Dialogue]
    target: list[Dialogue]
    validation: list[Dialogue]
    folds: list[Fold] = field(default_factory=list)

    def tested(self) -> list[int]:
        """Indices of the dialogues that some fold tests, in order; each is tested by one fold."""
        return sorted(index for fold in self.folds for index in fold.test)
