"""A turn as its annotator sees it before knowing the state: what was said, what the agent had done."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from lineshaft.dialogue.annotators.features import codes
from lineshaft.dialogue.corpus import Act, Dialogue, Slot
from lineshaft.dialogue.schema import Word, words


@dataclass(frozen=True)
class Scene:
    """A turn without its state: what the user said and what the agent had done in the last two turns."""

    text: str
    acts: tuple[Act, ...]
    earlier: tuple[Act, ...]
    number: int

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
    def facts(self) -> np.ndarray:
        """uint32 [n]: facts of the turn that all its candidates share."""
        said = [word.text for word in self.words]
        facts = [f"u={word}" for word in said] + [f"b={a}_{b}" for a, b in pairwise(said)]
        facts += [f"opens={'_'.join(said[:2])}", f"short={len(said) < 5}", f"first={self.number == 0}"]
        facts += [f"asked={bool(self.requested)}", f"agent={len(self.domains)}", "always"]
        return codes(facts + [f"does={act.name}" for act in self.acts if not act.slot])


def scene(dialogue: Dialogue, number: int) -> Scene:
    turn = dialogue.turns[number]
    earlier = dialogue.turns[number - 1].acts if number else ()
    return Scene(turn.user, turn.acts, earlier, number)
