"""Turns as rows for learning: one row a candidate, with hashed features and what surrounds it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix, vstack

from lineshaft.dialogue.annotators.candidates import DROPPED, Candidate, Described, Proposer
from lineshaft.dialogue.annotators.features import KEYS, crossed, matrix
from lineshaft.dialogue.annotators.scene import Scene
from lineshaft.dialogue.corpus.dialogue import Dialogue, Slot, State
from lineshaft.dialogue.corpus.state import Update, diff

SOURCES = "UABCXD"
ACTS = {"": 0, "inform": 1, "recommend": 2}


@dataclass(frozen=True)
class Example:
    """A turn to learn from or to judge: what changed (`update`) from the state before it (`previous`), the
    dialogue that it belongs to (`group`), and the turn as one who looks ahead sees it."""

    scene: Scene
    previous: State
    update: Update
    group: str = ""
    looking_ahead: Scene | None = None


@dataclass(frozen=True)
class Batch:
    """Candidates of several turns, one after the other.

    owner: int [n], the turn of each; slot: int [n], the number of its slot among `slots`, -1 if unknown;
    span: int [n], equal where two candidates of a turn read the same words, -1 without words; context:
    float32 [n, ..]: what surrounds it.
    """

    candidates: list[Candidate]
    owner: np.ndarray
    buckets: np.ndarray
    starts: np.ndarray
    slot: np.ndarray
    span: np.ndarray
    context: np.ndarray

    @property
    def x(self) -> csr_matrix:
        return matrix(self.buckets, self.starts)


def batch(proposer: Proposer, slots: dict[Slot, int], pairs: Sequence[tuple[Scene, State]]) -> Batch:
    """Candidates of turns, given the state before each."""
    kept = [proposer.kept(scene, previous, _described) for scene, previous in pairs]
    found = [each.candidates for each in kept]
    facts = [one for each in kept for one in each.facts]
    spans = [(number, *c.span) if c.span else None for number, found_ in enumerate(found) for c in found_]
    context = [each.context for each in kept if len(each.candidates)]
    flat = [candidate for candidates in found for candidate in candidates]
    keys = np.array([c.keys for c in flat], np.uint32).reshape(-1, KEYS)
    buckets, starts = crossed(keys, facts)
    numbers: dict[tuple[int, ...], int] = {}
    span = np.array([-1 if each is None else numbers.setdefault(each, len(numbers)) for each in spans], int)
    owner = np.repeat(np.arange(len(pairs)), [len(candidates) for candidates in found])
    slot = np.array([slots.get(c.slot, -1) for c in flat], int)
    around = np.concatenate(context) if context else np.zeros((0, 0), np.float32)
    return Batch(flat, owner, buckets, starts, slot, span, around)


def _described(proposer: Proposer, scene: Scene, previous: State) -> Described:
    """Candidates of one turn with their facts (uint32, one array each) and context (float32 [n, ..])."""
    candidates = proposer.candidates(scene, previous)
    states = proposer.state_facts(candidates, previous)
    facts = [np.concatenate((c.own, scene.facts, state)) for c, state in zip(candidates, states)]
    return Described(candidates, facts, np.array(_context(candidates, scene, previous), np.float32))


def _context(candidates: Sequence[Candidate], scene: Scene, previous: State) -> list[tuple[float, ...]]:
    """What surrounds each candidate of a turn, as numbers."""
    domains = {slot.domain for slot in previous}
    turn = (len(scene.words), scene.number, len(previous), len(domains), scene.asks)
    return [
        (
            sum(1 << SOURCES.index(letter) for letter in c.source),
            c.readings,
            c.negated,
            c.slot.domain in scene.domains,
            c.slot.domain in domains,
            c.slot in previous,
            c.slot in scene.requested,
            ACTS.get(c.act, 3),
            *turn,
            c.span[1] - c.span[0] if c.span else 0,
            (c.slot.domain, "name") in previous,
            *c.later,
        )
        for c in candidates
    ]


@dataclass(frozen=True)
class Rows:
    """Examples as rows: candidates with whether each was made (`right`), and per example its dialogue
    (`group`), its words and which slots it changed (`touched`, bool [examples, slots])."""

    x: csr_matrix
    right: np.ndarray
    owner: np.ndarray
    slot: np.ndarray
    span: np.ndarray
    context: np.ndarray
    group: np.ndarray
    scenes: list[Scene]
    touched: np.ndarray

    def take(self, examples: Sequence[int] | np.ndarray) -> Rows:
        """The rows of some examples, in the order given."""
        examples = np.asarray(examples, int)
        counts = np.bincount(self.owner, minlength=len(self.scenes))
        ends = np.cumsum(counts)
        index = np.concatenate(
            [np.arange(ends[i] - counts[i], ends[i]) for i in examples] or [np.zeros(0, int)]
        ).astype(int)
        owner = np.repeat(np.arange(len(examples)), counts[examples])
        return Rows(
            self.x[index],
            self.right[index],
            owner,
            self.slot[index],
            self.span[index],
            self.context[index],
            self.group[examples],
            [self.scenes[i] for i in examples],
            self.touched[examples],
        )


def join(parts: Sequence[Rows]) -> Rows:
    """Several sets of rows as one."""
    if len(parts) == 1:
        return parts[0]
    before = np.cumsum([0, *(len(part.scenes) for part in parts[:-1])])
    spans = np.cumsum([0, *(part.span.max(initial=-1) + 1 for part in parts[:-1])])
    return Rows(
        vstack([part.x for part in parts], format="csr"),
        np.concatenate([part.right for part in parts]),
        np.concatenate([part.owner + offset for part, offset in zip(parts, before)]),
        np.concatenate([part.slot for part in parts]),
        np.concatenate([np.where(part.span < 0, -1, part.span + off) for part, off in zip(parts, spans)]),
        np.concatenate([part.context for part in parts]),
        np.concatenate([part.group for part in parts]),
        [scene for part in parts for scene in part.scenes],
        np.concatenate([part.touched for part in parts]),
    )


def examples(proposer: Proposer, dialogues: Iterable[Dialogue]) -> list[Example]:
    """Every annotated turn, with the state its own annotation gives before it."""
    return [
        Example(
            proposer.scene(dialogue, i),
            dialogue.previous(i),
            diff(dialogue.previous(i), turn.state or {}),
            dialogue.id,
        )
        for dialogue in dialogues
        for i, turn in enumerate(dialogue.turns)
        if dialogue.learnable(i)
    ]


def featurise(proposer: Proposer, slots: dict[Slot, int], found: Sequence[Example]) -> Rows:
    """Rows of examples, in order."""
    one = batch(proposer, slots, [(example.scene, example.previous) for example in found])
    right = [made(proposer, c, found[i].update) for c, i in zip(one.candidates, one.owner)]
    touched = np.zeros((len(found), len(slots)), bool)
    for row, example in zip(touched, found):
        row[[slots[slot] for slot in example.update.assigned if slot in slots]] = True
    group = np.array([example.group for example in found], object)
    scenes = [example.scene for example in found]
    return Rows(
        one.x, np.array(right, bool), one.owner, one.slot, one.span, one.context, group, scenes, touched
    )


def made(proposer: Proposer, candidate: Candidate, update: Update) -> bool:
    """Whether an update makes the change that a candidate stands for."""
    if candidate.canonical == DROPPED:
        return candidate.slot in update.removed
    value = update.assigned.get(candidate.slot)
    if value is None or value.relation != candidate.relation:
        return False
    names = proposer.ontology.canonical_value(candidate.slot, value)[1]
    return candidate.canonical in names and (len(names) == 1 or candidate.slot in proposer.ontology.several)
