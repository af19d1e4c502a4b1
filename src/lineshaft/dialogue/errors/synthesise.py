"""Wrong annotations made from right ones, in the proportions in which an annotator errs.

One edit of a gold update: a slot is left out, added, given another value or another relation, an old value
is kept, or a drop missed. `Measured` draws the kind, the slot and the value from an `Analysis`: a pair that
is omitted often is left out often, what is added stands in the context of the turn. `Uniform` draws kinds,
slots and values alike, from everything the ontology knows: the ablation. Neither ever returns an update that
means the same as gold.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeVar

import numpy as np

from lineshaft.dialogue.annotators.candidates import DROPPED, Candidate
from lineshaft.dialogue.corpus.dialogue import RELATIONS, Slot, State, Value
from lineshaft.dialogue.corpus.ontology import Ontology
from lineshaft.dialogue.corpus.state import Update, apply
from lineshaft.dialogue.errors.analyse import KINDS, Analysis
from lineshaft.engine import Part

T = TypeVar("T")


class Negatives(Part):
    """Wrong versions of right updates; what is drawn is up to the kinds below."""

    def negative(
        self,
        ontology: Ontology,
        analysis: Analysis,
        candidates: Sequence[Candidate],
        previous: State,
        update: Update,
        rng: np.random.Generator,
    ) -> tuple[Update, str] | None:
        """A wrong update and its kind, or None where nothing can be edited."""
        edit = _Edit(ontology, candidates, previous, update, rng)
        kinds = edit.possible(KINDS)
        if not kinds:
            return None
        kind = self._kind(kinds, analysis, rng)
        return edit.checked(self._edited(edit, kind, analysis), kind)

    def _kind(self, kinds: Sequence[str], analysis: Analysis, rng: np.random.Generator) -> str:
        raise NotImplementedError

    def _edited(self, edit: _Edit, kind: str, analysis: Analysis) -> Update | None:
        raise NotImplementedError


class Uniform(Negatives):
    """Kinds, slots and values drawn alike."""

    name: Literal["uniform"] = "uniform"

    def _kind(self, kinds: Sequence[str], analysis: Analysis, rng: np.random.Generator) -> str:
        return kinds[int(rng.integers(len(kinds)))]

    def _edited(self, edit: _Edit, kind: str, analysis: Analysis) -> Update | None:
        return edit.uniform(kind)


class Measured(Negatives):
    """Kinds, slots and values drawn as the analysed annotator errs."""

    name: Literal["measured"] = "measured"

    def _kind(self, kinds: Sequence[str], analysis: Analysis, rng: np.random.Generator) -> str:
        weights = np.array([analysis.kinds[kind] + 0.5 for kind in kinds])
        return kinds[int(rng.choice(len(kinds), p=weights / weights.sum()))]

    def _edited(self, edit: _Edit, kind: str, analysis: Analysis) -> Update | None:
        return edit.measured(kind, analysis)


class _Edit:
    """One turn whose gold update is to be made wrong."""

    def __init__(
        self,
        ontology: Ontology,
        candidates: Sequence[Candidate],
        previous: State,
        update: Update,
        rng: np.random.Generator,
    ) -> None:
        self.ontology, self.candidates, self.rng = ontology, candidates, rng
        self.previous, self.update = previous, update
        self.fresh = sorted(slot for slot in update.assigned if slot not in previous)
        self.replaced = sorted(slot for slot in update.assigned if slot in previous)
        self.dropped = sorted(update.removed & previous.keys())

    def possible(self, kinds: Sequence[str]) -> list[str]:
        """Kinds of error that this turn can have; relations only where the corpus has several."""
        there = {
            "omitted": bool(self.fresh),
            "stale": bool(self.replaced),
            "kept": bool(self.dropped),
            "value": bool(self.update.assigned),
            "relation": any(value.relation != "equal_to" for value in self.update.assigned.values()),
            "added": bool(self.ontology.surfaces),
        }
        return [kind for kind in kinds if there[kind]]

    def checked(self, found: Update | None, kind: str) -> tuple[Update, str] | None:
        """The edit, unless it means what gold means."""
        if found is None:
            return None
        wrong, right = (self.ontology.canonical_state(apply(self.previous, u)) for u in (found, self.update))
        return None if wrong == right else (found, kind)

    def uniform(self, kind: str) -> Update | None:
        if kind in ("omitted", "stale", "kept"):
            return self._without(self._any(self._there(kind)))
        if kind == "relation":
            return self._related()
        if kind == "value":
            slot = self._any(sorted(self.update.assigned))
            return self._with(slot, self._any(self._others(slot)))
        slots = sorted(slot for slot in self.ontology.surfaces if slot not in self.update.assigned)
        slot = self._any(slots)
        return self._with(slot, self._any(self._others(slot))) if slot else None

    def measured(self, kind: str, analysis: Analysis) -> Update | None:
        if kind in ("omitted", "stale"):
            slots = self._there(kind)
            return self._without(self._weighted(slots, [self._missed(slot, analysis) for slot in slots]))
        if kind == "kept":
            slots = self.dropped
            weights = [(analysis.by_slot[s]["kept"] + 0.1) / (analysis.drops[s] + 0.5) for s in slots]
            return self._without(self._weighted(slots, weights))
        if kind == "relation":
            return self._related()
        if kind == "value":
            slot = self._any(sorted(self.update.assigned))
            if slot is None:
                return None
            near = [c.surface for c in self.candidates if c.slot == slot and c.canonical != DROPPED]
            near = [name for name in near if (name,) != self.update.assigned[slot].values]
            return self._with(slot, self._any(near or self._others(slot)))
        free = [c for c in self.candidates if c.slot not in self.update.assigned and c.canonical != DROPPED]
        chosen = self._weighted(free, [analysis.by_slot[c.slot]["added"] + 0.05 for c in free])
        return None if chosen is None else self._with(chosen.slot, chosen.surface)

    def _missed(self, slot: Slot, analysis: Analysis) -> float:
        """How often this pair is missed, smoothed by how often its slot is."""
        names = self.ontology.canonical_value(slot, self.update.assigned[slot])[1]
        pair = (slot, " | ".join(sorted(names)))
        slots = sum(count for (other, _), count in analysis.support.items() if other == slot)
        missed = analysis.by_slot[slot]["omitted"] + analysis.by_slot[slot]["stale"]
        return (analysis.omissions[pair] + 0.5 * missed + 0.1) / (analysis.support[pair] + 0.5 * slots + 0.5)

    def _there(self, kind: str) -> list[Slot]:
        return {"omitted": self.fresh, "stale": self.replaced, "kept": self.dropped}[kind]

    def _others(self, slot: Slot | None) -> list[str]:
        """Values of a slot other than the one it has."""
        if slot is None:
            return []
        held = self.update.assigned.get(slot, self.previous.get(slot))
        names = self.ontology.canonical_value(slot, held)[1] if held else frozenset()
        return [
            self.ontology.spelling(slot, n)
            for n in sorted(self.ontology.values.get(slot, frozenset()) - names)
        ]

    def _related(self) -> Update | None:
        slots = sorted(s for s, value in self.update.assigned.items() if value.relation != "equal_to")
        slot = self._any(slots)
        if slot is None:
            return None
        value = self.update.assigned[slot]
        other = self._any([relation for relation in RELATIONS if relation != value.relation])
        return Update(
            self.update.assigned | {slot: Value(value.values, other or "equal_to")}, self.update.removed
        )

    def _with(self, slot: Slot | None, name: str | None) -> Update | None:
        if slot is None or name is None:
            return None
        return Update(self.update.assigned | {slot: Value((name,))}, self.update.removed - {slot})

    def _without(self, slot: Slot | None) -> Update | None:
        if slot is None:
            return None
        assigned = {other: value for other, value in self.update.assigned.items() if other != slot}
        return Update(assigned, self.update.removed - {slot})

    def _any(self, items: Sequence[T]) -> T | None:
        return items[int(self.rng.integers(len(items)))] if len(items) else None

    def _weighted(self, items: Sequence[T], weights: Sequence[float]) -> T | None:
        if not len(items):
            return None
        share = np.array(weights, float)
        return items[int(self.rng.choice(len(items), p=share / share.sum()))]
