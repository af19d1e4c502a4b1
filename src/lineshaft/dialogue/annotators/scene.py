"""A turn as its annotator sees it before knowing the state: what was said, what the agent had done."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from lineshaft.dialogue.annotators.features import codes
from lineshaft.dialogue.corpus.dialogue import Act, Dialogue, Slot
from lineshaft.dialogue.corpus.text import Word, words

MOST_WORDS = 200
"""Words of a turn that all its candidates share as facts; a pasted page has more, and they say nothing."""


@dataclass(frozen=True, eq=False)
class Scene:
    """A turn without its state: what the user said and what the agent had done in the last two turns.

    `later` holds what the agent does in the turns to come, one tuple each: for annotating a corpus after the
    fact, where acts are given. It is empty unless hindsight is asked for.
    """

    text: str
    acts: tuple[Act, ...]
    earlier: tuple[Act, ...]
    number: int
    original: str | None = None
    later: tuple[tuple[Act, ...], ...] = ()
    hindsight: bool = False

    @cached_property
    def words(self) -> list[Word]:
        return words(self.text)

    @cached_property
    def requested(self) -> frozenset[Slot]:
        return frozenset(Slot(act.domain, act.slot) for act in self.acts if act.slot and not act.value)

    @cached_property
    def domains(self) -> frozenset[str]:
        return frozenset(act.domain for act in self.acts) - {"general"}

    @cached_property
    def earlier_domains(self) -> frozenset[str]:
        return frozenset(act.domain for act in self.earlier) - {"general"}

    @cached_property
    def asks(self) -> bool:
        return any(word.text == "?" for word in self.words)

    @cached_property
    def facts(self) -> np.ndarray:
        """uint32 [n]: facts of the turn that all its candidates share."""
        said = [word.text for word in self.words[:MOST_WORDS]]
        facts = [f"u={word}" for word in said] + [f"b={a}_{b}" for a, b in pairwise(said)]
        facts += [f"opens={'_'.join(said[:2])}", f"short={len(said) < 5}", f"first={self.number == 0}"]
        facts += [f"asked={bool(self.requested)}", f"agent={len(self.domains)}", "always"]
        return codes(facts + [f"does={act.name}" for act in self.acts if not act.slot])


def scene(dialogue: Dialogue, number: int, hindsight: bool = False) -> Scene:
    """Turn `number` of a dialogue; with hindsight, what the agent does later as well."""
    turn = dialogue.turns[number]
    earlier = dialogue.turns[number - 1].acts if number else ()
    later = tuple(each.acts for each in dialogue.turns[number + 1 :]) if hindsight else ()
    return Scene(turn.user, turn.acts, earlier, number, turn.original, later, hindsight)
