"""A corpus of task-oriented dialogues: who said what, and which constraints (the state) hold after each
turn.

A turn is seen from the agent's side, in the distilled form of X-RiSAWOZ (Moradshahi et al., ACL Findings
2023): the agent's side as formal acts, the user's side as text, the state after the user has spoken.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
    """What a slot is constrained to, one value or several; "don't care" is a value like any other, no value
    at all is none."""

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

    `state` is None where nobody has annotated the turn, which is not the same as an empty state.
    `provenance` says where it comes from: people ("gold"), people through a translation ("projected"), or a
    model ("auto", with its `score` for the turn and `confidence` for each slot). `original` is what the user
    said before translation, `alignment` the values of the original with their translations.
    """

    user: str
    state: State | None
    acts: tuple[Act, ...] = ()
    provenance: Provenance = "gold"
    score: float | None = None
    agent: str | None = None
    original: str | None = None
    alignment: Mapping[str, str] = field(default_factory=dict)
    confidence: Mapping[Slot, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Dialogue:
    id: str
    turns: tuple[Turn, ...]
    language: str = "en"

    def previous(self, number: int) -> State:
        """The state before turn `number`, counted from 0; the turn before must be annotated."""
        state = self.turns[number - 1].state if number else {}
        if state is None:
            raise ValueError(f"turn {number - 1} of dialogue {self.id} has no state")
        return state

    @property
    def labelled(self) -> bool:
        """Whether every turn has a state."""
        return all(turn.state is not None for turn in self.turns)

    def learnable(self, number: int) -> bool:
        """Whether turn `number` and the one before it have states, so that its change is known."""
        before = number == 0 or self.turns[number - 1].state is not None
        return before and self.turns[number].state is not None

    def unlabelled(self) -> Dialogue:
        """This dialogue as nobody has annotated it."""
        return replace(self, turns=tuple(replace(turn, state=None, confidence={}) for turn in self.turns))

    def annotated(
        self,
        states: Sequence[State],
        scores: Sequence[float],
        confidence: Sequence[Mapping[Slot, float]] | None = None,
    ) -> Dialogue:
        """This dialogue with a model's states in place of its own."""
        each = confidence if confidence is not None else [{}] * len(self.turns)
        turns = (
            replace(turn, state=state, provenance="auto", score=score, confidence=slots)
            for turn, state, score, slots in zip(self.turns, states, scores, each, strict=True)
        )
        return replace(self, turns=tuple(turns))


def turns(dialogues: Sequence[Dialogue]) -> Iterator[tuple[Dialogue, int]]:
    """Every turn of a corpus as (dialogue, number), in order."""
    return ((dialogue, number) for dialogue in dialogues for number in range(len(dialogue.turns)))
