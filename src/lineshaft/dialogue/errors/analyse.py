"""What an annotator gets wrong on gold dialogues: at slot, value, pair and dialogue-act level.

An error is one slot of one turn that the annotation leaves in another state than gold: omitted (gold sets
it, the annotation does not), added (the annotation sets it, gold does not), another value, another relation,
stale (it had a value, gold changes it, the annotation keeps the old one), not dropped (gold drops it, the
annotation keeps it). The last two are in no public list of error types, and make up a quarter of all errors
of our annotator on X-RiSAWOZ. Each turn is judged given the gold state before it, so that no error counts
twice. Rates have Wilson intervals (Wilson 1927), which hold for small counts.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from lineshaft.dialogue.corpus.dialogue import Act, Slot, State
from lineshaft.dialogue.corpus.ontology import Ontology
from lineshaft.dialogue.corpus.state import Update, apply

KINDS = ("omitted", "added", "value", "relation", "stale", "kept")
"""omitted, added, other value, other relation, stale value, missed drop."""


class Error(NamedTuple):
    """One wrong slot of a turn; gold and predicted are canonical values, "" where there is none."""

    kind: str
    slot: Slot
    gold: str
    predicted: str


@dataclass
class Analysis:
    """Counts over judged turns.

    `support`: how often gold changes a slot to a value; `omissions`: how often this is missed (omitted or
    stale), both by (slot, value); `additions`: by (slot, value); `confused`: by (slot, gold, predicted);
    `acts`: turns and wrong turns by what the agent did just before.
    """

    turns: int = 0
    wrong_turns: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    by_slot: dict[Slot, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    support: Counter[tuple[Slot, str]] = field(default_factory=Counter)
    omissions: Counter[tuple[Slot, str]] = field(default_factory=Counter)
    additions: Counter[tuple[Slot, str]] = field(default_factory=Counter)
    confused: Counter[tuple[Slot, str, str]] = field(default_factory=Counter)
    drops: Counter[Slot] = field(default_factory=Counter)
    acts: dict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))

    def add(
        self, ontology: Ontology, acts: Sequence[Act], previous: State, gold: State, update: Update
    ) -> None:
        """Judge one turn."""
        found = errors(ontology, previous, gold, update)
        self.turns += 1
        self.wrong_turns += bool(found)
        before, after = ontology.canonical_state(previous), ontology.canonical_state(gold)
        for slot, value in after.items():
            if before.get(slot) != value:
                self.support[slot, _name(value)] += 1
        self.drops.update(before.keys() - after.keys())
        for error in found:
            self._count(error)
        for act in {f"{act.domain} {act.name}" for act in acts} or {"(none)"}:
            self.acts[act][0] += 1
            self.acts[act][1] += bool(found)

    def _count(self, error: Error) -> None:
        self.kinds[error.kind] += 1
        self.by_slot[error.slot][error.kind] += 1
        if error.kind in ("omitted", "stale"):
            self.omissions[error.slot, error.gold] += 1
        elif error.kind == "added":
            self.additions[error.slot, error.predicted] += 1
        elif error.kind == "value":
            self.confused[error.slot, error.gold, error.predicted] += 1

    def record(self) -> dict[str, Any]:
        """All counts as plain JSON, rates with their intervals: the content of errors.json."""
        changes: Counter[Slot] = Counter()
        for (slot, _), count in self.support.items():
            changes[slot] += count
        return {
            "turns": self.turns,
            "wrong_turns": self.wrong_turns,
            "turn_error_rate": rate(self.wrong_turns, self.turns),
            "kinds": {kind: self.kinds[kind] for kind in KINDS},
            "slots": [
                {
                    "slot": str(slot),
                    "gold_changes": changes[slot],
                    **{kind: self.by_slot[slot][kind] for kind in KINDS},
                    "missed": rate(
                        self.by_slot[slot]["omitted"] + self.by_slot[slot]["stale"], changes[slot]
                    ),
                }
                for slot in sorted(changes.keys() | self.by_slot.keys())
            ],
            "pairs": [
                {
                    "slot": str(slot),
                    "value": value,
                    "gold": count,
                    "omitted": self.omissions[slot, value],
                    "rate": rate(self.omissions[slot, value], count),
                }
                for (slot, value), count in sorted(
                    self.support.items(), key=lambda item: (-self.omissions[item[0]], -item[1], item[0])
                )
            ],
            "additions": _ranked(self.additions, ("slot", "value")),
            "confused": _ranked(self.confused, ("slot", "gold", "predicted")),
            "acts": [
                {"act": act, "turns": turns, "wrong": wrong, "rate": rate(wrong, turns)}
                for act, (turns, wrong) in sorted(self.acts.items(), key=lambda item: (-item[1][1], item[0]))
            ],
        }


def errors(ontology: Ontology, previous: State, gold: State, update: Update) -> list[Error]:
    """The wrong slots of a turn, in order."""
    before, right = ontology.canonical_state(previous), ontology.canonical_state(gold)
    after = ontology.canonical_state(apply(previous, update))
    slots = sorted(slot for slot in right.keys() | after.keys() if right.get(slot) != after.get(slot))
    return [_error(slot, before.get(slot), right.get(slot), after.get(slot)) for slot in slots]


Meant = tuple[str, frozenset[str]] | None


def _error(slot: Slot, before: Meant, gold: Meant, after: Meant) -> Error:
    if gold is None:
        kind = "kept" if before is not None and after == before else "added"
    elif after is None:
        kind = "omitted"
    elif after == before:
        kind = "stale"
    elif after[1] == gold[1]:
        kind = "relation"
    else:
        kind = "added" if gold == before else "value"
    return Error(kind, slot, _name(gold), _name(after))


def _name(value: Meant) -> str:
    if value is None:
        return ""
    prefix = "" if value[0] == "equal_to" else f"{value[0]} "
    return prefix + " | ".join(sorted(value[1]))


def rate(count: int, total: int) -> dict[str, float]:
    """A share in per cent with its Wilson 95 % interval; of nothing the whole range."""
    if not total:
        return {"rate": 0.0, "low": 0.0, "high": 100.0}
    z, share = 1.959964, count / total
    centre = share + z * z / (2 * total)
    spread = z * np.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    low, high = (centre - spread) / scale, (centre + spread) / scale
    return {"rate": 100 * share, "low": 100 * max(0.0, float(low)), "high": 100 * min(1.0, float(high))}


def _ranked(counts: Counter[Any], names: Iterable[str]) -> list[dict[str, Any]]:
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [dict(zip(names, map(str, key))) | {"count": count} for key, count in ranked]
