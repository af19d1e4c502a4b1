"""Which slots a turn may have changed, to which values, and what speaks for each.

Sources of a candidate: U the user's words, A what the agent just did, B what the agent did one turn earlier,
C a value of a closed slot, X the value of a slot of another domain, D the slot is dropped.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from lineshaft.dialogue.annotators import hindsight
from lineshaft.dialogue.annotators.features import code, codes
from lineshaft.dialogue.annotators.scene import Scene, scene
from lineshaft.dialogue.corpus.dialogue import Act, Dialogue, Slot, State, Value, turns
from lineshaft.dialogue.corpus.ontology import Mention, Ontology
from lineshaft.dialogue.corpus.state import Update, diff
from lineshaft.dialogue.corpus.text import Word

_Key = tuple[Slot, str, str, str, str]
DROPPED = "(dropped)"
EQUAL = "equal_to"
_NEGATIONS = (
    "not no don't doesn't isn't didn't without except nor other another instead else change "
    "不 没 别 非 换 另 除 무 말 않 नहीं मत बिना ليس لا غير pas sans non senza"
)
NEGATIONS = frozenset(_NEGATIONS.split())
WINDOW = 4
MOST_KEPT = 20_000
"""Turns, each with one state before it, whose candidates are kept: some 10 kB each."""
MOST_AROUND = 40
"""Facts around the mentions of one value; a value named a hundred times in a page says no more."""


@dataclass(frozen=True)
class Candidate:
    """One possible change. `surface` is the value as written, `canonical` the one compared; `own` (uint32)
    are facts of this candidate alone that do not depend on the state, `keys` (uint32) join all facts. The
    rest describes its evidence: how many readings its mention has, whether a negation stands before it,
    where it stands, and what the agent does later."""

    slot: Slot
    canonical: str
    surface: str
    source: str
    keys: np.ndarray
    own: np.ndarray
    relation: str = EQUAL
    act: str = ""
    readings: int = 0
    negated: bool = False
    span: tuple[int, int] | None = None
    later: tuple[float, ...] = ()


@dataclass(frozen=True)
class Described:
    """Candidates of one turn given the state before it, with their facts (uint32, one array each) and what
    surrounds them (float32 [candidates, ..])."""

    candidates: list[Candidate]
    facts: list[np.ndarray]
    context: np.ndarray


Describe = Callable[["Proposer", Scene, State], Described]


class Proposer:
    """Proposes candidates; which slots are copied, which ever dropped and which take other relations than
    equal_to is counted on labelled turns."""

    def __init__(self, ontology: Ontology, labelled: Sequence[Dialogue], hindsight: bool = False) -> None:
        self.ontology, self.hindsight = ontology, hindsight
        self.copies: dict[Slot, list[Slot]] = {}
        self.droppable: frozenset[Slot] = frozenset()
        self.relations: dict[Slot, tuple[str, ...]] = {}
        self._seen: dict[int, tuple[Dialogue, list[Scene]]] = {}
        self._proposals: dict[Scene, tuple[list[Candidate], dict[_Key, Candidate]]] = {}
        self._kept: dict[tuple[Scene, frozenset[tuple[Slot, Value]]], Described] = {}
        self._count(labelled)

    def scene(self, dialogue: Dialogue, number: int) -> Scene:
        """Turn `number` as this proposer sees it, always the same object, under which candidates are kept."""
        if id(dialogue) not in self._seen:
            numbers = range(len(dialogue.turns))
            self._seen[id(dialogue)] = (dialogue, [scene(dialogue, i, self.hindsight) for i in numbers])
        return self._seen[id(dialogue)][1][number]

    def kept(self, scene: Scene, previous: State, describe: Describe) -> Described:
        """What `describe` says of a turn given the state before it, kept: systems that are compared ask for
        the same turns again and again."""
        key = (scene, frozenset(previous.items()))
        if key not in self._kept:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[key] = describe(self, scene, previous)
        return self._kept[key]

    def forget(self) -> None:
        """Drop what is kept of the dialogues seen so far, so that a large corpus needs no large memory."""
        self._kept.clear()
        self._seen.clear()
        self._proposals.clear()

    def candidates(self, scene: Scene, previous: State) -> list[Candidate]:
        """All candidates of a turn given the state before it, always in the same order.

        A value the slot already has is not a candidate: choosing it would change nothing.
        """
        known = {slot: self.ontology.canonical_value(slot, value) for slot, value in previous.items()}
        found = self._static(scene) + self._copied(scene, known, previous) + self._drops(scene, previous)
        return [c for c in found if known.get(c.slot) != (c.relation, frozenset((c.canonical,)))]

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
        return self._remembered(scene)[0]

    def _remembered(self, scene: Scene) -> tuple[list[Candidate], dict[_Key, Candidate]]:
        if scene not in self._proposals:
            self._proposals[scene] = (list(self._proposed(scene)), {})
        return self._proposals[scene]

    def _proposed(self, scene: Scene) -> Iterable[Candidate]:
        drafts: dict[tuple[Slot, str], _Draft] = defaultdict(_Draft)
        mentions = self.ontology.mentions(scene.words)
        for mention in mentions:
            self._draft_mention(drafts, scene, mention)
        for source, acts in (("A", scene.acts), ("B", scene.earlier)):
            for act in acts:
                self._draft_act(drafts, source, act)
        self._draft_closed(drafts, scene)
        mentioned = {slot.domain for mention in mentions for slot, _ in mention.readings}
        for (slot, canonical), draft in sorted(drafts.items()):
            for relation in self.relations.get(slot, (EQUAL,)):
                yield _finished(scene, slot, canonical, draft, mentioned, relation)

    def _draft_mention(self, drafts: dict[tuple[Slot, str], _Draft], scene: Scene, mention: Mention) -> None:
        facts = _around(scene.words, mention)
        heard = scene.text[scene.words[mention.start].start : scene.words[mention.end - 1].end]
        for slot, canonical in mention.readings:
            surface = heard if self.ontology.verbatim else self.ontology.spelling(slot, canonical)
            draft = drafts[slot, canonical]
            draft.add("U", surface, facts if len(draft.facts) < MOST_AROUND else [])
            draft.readings = draft.readings or len(mention.readings)
            draft.span = draft.span or (mention.start, mention.end)
            draft.negated = draft.negated or "negated=True" in facts

    def _draft_act(self, drafts: dict[tuple[Slot, str], _Draft], source: str, act: Act) -> None:
        if not (act.slot and act.value):
            return
        slot = Slot(act.domain, act.slot)
        for value in act.value.values:
            canonical = self.ontology.canonical(slot, value)
            if source == "B" and (act.name == "inform" or (slot, canonical) in drafts):
                continue
            surface = value if self.ontology.verbatim else self.ontology.spelling(slot, canonical)
            drafts[slot, canonical].add(source, surface, [f"act={act.name}"], act.name)

    def _draft_closed(self, drafts: dict[tuple[Slot, str], _Draft], scene: Scene) -> None:
        active = scene.domains | scene.earlier_domains | {slot.domain for slot, _ in drafts}
        for slot, values in self.ontology.closed.items():
            if slot.domain in active or len(self.ontology.domains) == 1:
                for value in values:
                    if (slot, value) not in drafts:
                        drafts[slot, value].add("C", self.ontology.spelling(slot, value), [])

    def _copied(
        self, scene: Scene, known: dict[Slot, tuple[str, frozenset[str]]], previous: State
    ) -> list[Candidate]:
        static = {(candidate.slot, candidate.canonical) for candidate in self._static(scene)}
        found: dict[tuple[Slot, str], tuple[Slot, str]] = {}
        for slot in sorted(previous):
            for target in self.copies.get(slot, ()):
                for canonical in sorted(known[slot][1] & self.ontology.values.get(target, frozenset())):
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
        extras = self._remembered(scene)[1]
        key = (slot, canonical, source, surface, fact)
        if key not in extras:
            draft = _Draft()
            draft.add(source, surface, [fact])
            extras[key] = _finished(scene, slot, canonical, draft, set(), EQUAL)
        return extras[key]

    def _count(self, labelled: Sequence[Dialogue]) -> None:
        copied: Counter[tuple[Slot, Slot]] = Counter()
        dropped: Counter[Slot] = Counter()
        related: dict[Slot, Counter[str]] = defaultdict(Counter)
        for dialogue, number in turns(labelled):
            if not dialogue.learnable(number):
                continue
            previous = dialogue.previous(number)
            update = diff(previous, dialogue.turns[number].state or {})
            dropped.update(update.removed)
            copied.update(self._unexplained_copies(self.scene(dialogue, number), previous, update))
            for slot, value in update.assigned.items():
                related[slot][value.relation] += 1
        for (slot, target), times in sorted(copied.items()):
            if times >= 2:
                self.copies.setdefault(slot, []).append(target)
        self.droppable = frozenset(slot for slot, times in dropped.items() if times >= 3)
        self.relations = {
            slot: tuple(sorted(found)) for slot, found in related.items() if set(found) != {EQUAL}
        }
        self.forget()

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
        self.readings = 0
        self.negated = False
        self.span: tuple[int, int] | None = None

    def add(self, source: str, surface: str, facts: Iterable[str], act: str = "") -> None:
        self.surface = self.surface or surface
        self.act = self.act or act
        self.sources.add(source)
        self.facts += facts


def _finished(
    scene: Scene, slot: Slot, canonical: str, draft: _Draft, mentioned: set[str], relation: str
) -> Candidate:
    source = "".join(sorted(draft.sources))
    kind = f"{source}{draft.act}" + ("" if relation == EQUAL else f":{relation}")
    exact = f"{slot}={canonical}" if source in "CD" else f"{slot.name}{source}"
    exact += "" if relation == EQUAL else f":{relation}"
    keys = np.array([code(key) for key in ("", kind, f"{slot}", f"{slot.domain}{kind}", exact)], np.uint32)
    own = [
        *draft.facts,
        f"agent-here={slot.domain in scene.domains}",
        f"agent-was={slot.domain in scene.earlier_domains}",
        f"requested={slot in scene.requested}",
        f"mentioned={slot.domain in mentioned}{min(len(mentioned), 4)}",
        f"requested-here={any(slot.domain == other.domain for other in scene.requested)}",
    ]
    later: tuple[float, ...] = ()
    if scene.hindsight:
        facts, later = hindsight.evidence(scene.later, slot, draft.surface, canonical)
        own += facts
    return Candidate(
        slot,
        canonical,
        draft.surface,
        source,
        keys,
        codes(own),
        relation,
        draft.act,
        draft.readings,
        draft.negated,
        draft.span,
        later,
    )


def _around(text: Sequence[Word], mention: Mention) -> list[str]:
    """Facts about the words beside a mention."""
    left = ["<s>", *(word.text for word in text[max(0, mention.start - WINDOW) : mention.start])][-WINDOW:]
    right = [*(word.text for word in text[mention.end : mention.end + WINDOW - 1]), "</s>"][: WINDOW - 1]
    facts = [f"l1={left[-1]}", f"r1={right[0]}", f"l2={'_'.join(left[-2:])}", f"r2={'_'.join(right[:2])}"]
    facts += [
        f"lr={left[-1]}_{right[0]}",
        f"readings={min(len(mention.readings), 6)}",
        f"words={mention.end - mention.start}",
    ]
    facts += [f"negated={not NEGATIONS.isdisjoint(left)}"]
    return facts + [f"l={word}" for word in left] + [f"r={word}" for word in right]
