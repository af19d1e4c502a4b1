"""Which slots a turn may have changed, to which values, and what speaks for each.

Sources of a candidate: U the user's words, A what the agent just did, B what the agent did one turn earlier,
C a value of a closed slot, X the value of a slot of another domain, D the slot is dropped.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from lineshaft.dialogue.annotators.features import code, codes, cross
from lineshaft.dialogue.annotators.scene import Scene, scene
from lineshaft.dialogue.corpus import Act, Dialogue, Slot, State, turns
from lineshaft.dialogue.schema import Mention, Ontology, Word
from lineshaft.dialogue.state import Update, diff

DROPPED = "(dropped)"
NEGATIONS = frozenset(
    [
        "not",
        "no",
        "don't",
        "doesn't",
        "isn't",
        "didn't",
        "without",
        "except",
        "nor",
        "other",
        "another",
        "instead",
        "else",
        "change",
    ]
)
WINDOW = 4


@dataclass(frozen=True)
class Candidate:
    """One possible change. `surface` is the value as written, `canonical` the one compared; `base` are its
    features that do not depend on the state (int32 buckets), `keys` (uint32) join those that do."""

    slot: Slot
    canonical: str
    surface: str
    source: str
    keys: np.ndarray
    base: np.ndarray


class Proposer:
    """Proposes candidates; which slots are copied and which ever dropped is counted on labelled turns."""

    def __init__(self, ontology: Ontology, labelled: Sequence[Dialogue]) -> None:
        self.ontology = ontology
        self.copies: dict[Slot, list[Slot]] = {}
        self.droppable: frozenset[Slot] = frozenset()
        self._scenes: dict[tuple[str, tuple, tuple, int], tuple[Scene, list[Candidate], dict]] = {}
        self._count(labelled)

    def candidates(self, scene: Scene, previous: State) -> list[Candidate]:
        """All candidates of a turn given the state before it, always in the same order.

        A value the slot already has is no candidate: choosing it would change nothing.
        """
        known = {slot: self.ontology.canonical_value(slot, value)[1] for slot, value in previous.items()}
        found = self._static(scene) + self._copied(scene, known, previous) + self._drops(scene, previous)
        return [candidate for candidate in found if known.get(candidate.slot) != {candidate.canonical}]

    def state_facts(self, candidates: Sequence[Candidate], previous: State) -> np.ndarray:
        """uint32 [candidates, 6]: what the state before the turn says about each candidate."""
        domains = Counter(slot.domain for slot in previous)
        held = {(slot.name, name) for slot, value in previous.items() for name in value.values}
        facts = [
            (
                f"filled={c.slot in previous}",
                f"active={c.slot.domain in domains}",
                f"domains={min(len(domains), 3)}",
                f"elsewhere={(c.slot.name, c.surface) in held}",
                f"named={Slot(c.slot.domain, 'name') in previous}",
                f"slots={min(domains[c.slot.domain], 3)}",
            )
            for c in candidates
        ]
        return np.array([[code(fact) for fact in row] for row in facts], np.uint32).reshape(-1, 6)

    def _static(self, scene: Scene) -> list[Candidate]:
        return self._remembered(scene)[1]

    def _remembered(self, scene: Scene) -> tuple[Scene, list[Candidate], dict]:
        key = (scene.text, scene.acts, scene.earlier, scene.number)
        if key not in self._scenes:
            self._scenes[key] = (scene, list(self._proposed(scene)), {})
        return self._scenes[key]

    def _proposed(self, scene: Scene) -> Iterable[Candidate]:
        drafts: dict[tuple[Slot, str], _Draft] = defaultdict(_Draft)
        mentions = self.ontology.mentions(scene.words)
        for mention in mentions:
            facts = _around(scene.words, mention)
            surface = scene.text[scene.words[mention.start].start : scene.words[mention.end - 1].end]
            for slot, canonical in mention.readings:
                drafts[slot, canonical].add("U", surface if self.ontology.verbatim else canonical, facts)
        for source, acts in (("A", scene.acts), ("B", scene.earlier)):
            for act in acts:
                self._draft_act(drafts, source, act)
        self._draft_closed(drafts, scene)
        mentioned = {slot.domain for mention in mentions for slot, _ in mention.readings}
        for (slot, canonical), draft in sorted(drafts.items()):
            yield _finished(scene, slot, canonical, draft, mentioned)

    def _draft_act(self, drafts: dict[tuple[Slot, str], _Draft], source: str, act: Act) -> None:
        if not (act.slot and act.value):
            return
        slot = Slot(act.domain, act.slot)
        for value in act.value.values:
            canonical = self.ontology.canonical(slot, value)
            if source == "B" and (act.name == "inform" or (slot, canonical) in drafts):
                continue
            surface = value if self.ontology.verbatim else canonical
            drafts[slot, canonical].add(source, surface, [f"act={act.name}"], act.name)

    def _draft_closed(self, drafts: dict[tuple[Slot, str], _Draft], scene: Scene) -> None:
        active = scene.domains | scene.earlier_domains | {slot.domain for slot, _ in drafts}
        for slot, values in self.ontology.closed.items():
            if slot.domain in active or len(self.ontology.domains) == 1:
                for value in values:
                    if (slot, value) not in drafts:
                        drafts[slot, value].add("C", value, [])

    def _copied(self, scene: Scene, known: dict[Slot, frozenset[str]], previous: State) -> list[Candidate]:
        static = {(candidate.slot, candidate.canonical) for candidate in self._static(scene)}
        found = {}
        for slot in sorted(previous):
            for target in self.copies.get(slot, ()):
                for canonical in known[slot] & self.ontology.values.get(target, frozenset()):
                    if target not in previous and (target, canonical) not in static:
                        found.setdefault((target, canonical), (slot, previous[slot].values[0]))
        return [
            self._extra(scene, target, canonical, "X", surface, f"from={slot}")
            for (target, canonical), (slot, surface) in sorted(found.items())
        ]

    def _drops(self, scene: Scene, previous: State) -> list[Candidate]:
        slots = sorted(slot for slot in previous if slot in self.droppable)
        return [self._extra(scene, slot, DROPPED, "D", "", "drop") for slot in slots]

    def _extra(
        self, scene: Scene, slot: Slot, canonical: str, source: str, surface: str, fact: str
    ) -> Candidate:
        extras = self._remembered(scene)[2]
        key = (slot, canonical, source, surface, fact)
        if key not in extras:
            draft = _Draft()
            draft.add(source, surface, [fact])
            extras[key] = _finished(scene, slot, canonical, draft, set())
        return extras[key]

    def _count(self, labelled: Sequence[Dialogue]) -> None:
        copied, dropped = Counter(), Counter()
        for dialogue, number in turns(labelled):
            previous = dialogue.previous(number)
            update = diff(previous, dialogue.turns[number].state)
            dropped.update(update.removed)
            copied.update(self._unexplained_copies(scene(dialogue, number), previous, update))
        for (slot, target), times in sorted(copied.items()):
            if times >= 2:
                self.copies.setdefault(slot, []).append(target)
        self.droppable = frozenset(slot for slot, times in dropped.items() if times >= 3)

    def _unexplained_copies(self, scene: Scene, previous: State, update: Update) -> list[tuple[Slot, Slot]]:
        """Pairs (slot, target): the update gives `target` the value of `slot`, which nobody just said."""
        static = {(candidate.slot, candidate.canonical) for candidate in self._static(scene)}
        return [
            (slot, target)
            for target, value in update.assigned.items()
            for canonical in self.ontology.canonical_value(target, value)[1]
            if (target, canonical) not in static
            for slot, old in previous.items()
            if slot.domain != target.domain and canonical in self.ontology.canonical_value(slot, old)[1]
        ]


class _Draft:
    """A candidate while its sources are collected."""

    def __init__(self) -> None:
        self.sources: set[str] = set()
        self.facts: list[str] = []
        self.surface = ""
        self.act = ""

    def add(self, source: str, surface: str, facts: Iterable[str], act: str = "") -> None:
        self.surface = self.surface or surface
        self.act = self.act or act
        self.sources.add(source)
        self.facts += facts


def _finished(scene: Scene, slot: Slot, canonical: str, draft: _Draft, mentioned: set[str]) -> Candidate:
    source = "".join(sorted(draft.sources))
    kind = f"{source}{draft.act}"
    exact = f"{slot}={canonical}" if source in "CD" else f"{slot.name}{source}"
    keys = np.array([code(key) for key in ("", kind, f"{slot}", f"{slot.domain}{kind}", exact)], np.uint32)
    own = [
        *draft.facts,
        f"agent-here={slot.domain in scene.domains}",
        f"agent-was={slot.domain in scene.earlier_domains}",
    ]
    own += [
        f"requested={slot in scene.requested}",
        f"mentioned={slot.domain in mentioned}{min(len(mentioned), 4)}",
    ]
    own += [f"requested-here={any(slot.domain == other.domain for other in scene.requested)}"]
    base = cross(keys, np.concatenate([codes(own), scene.facts]))
    return Candidate(slot, canonical, draft.surface, source, keys, base)


def _around(text: Sequence[Word], mention: Mention) -> list[str]:
    """Facts about the words beside a mention."""
    left = ["<s>", *(word.text for word in text[: mention.start])][-WINDOW:]
    right = [*(word.text for word in text[mention.end : mention.end + WINDOW - 1]), "</s>"][: WINDOW - 1]
    facts = [f"l1={left[-1]}", f"r1={right[0]}", f"l2={'_'.join(left[-2:])}", f"r2={'_'.join(right[:2])}"]
    facts += [
        f"lr={left[-1]}_{right[0]}",
        f"readings={min(len(mention.readings), 6)}",
        f"words={mention.end - mention.start}",
    ]
    facts += [f"negated={not NEGATIONS.isdisjoint(left)}"]
    return facts + [f"l={word}" for word in left] + [f"r={word}" for word in right]
