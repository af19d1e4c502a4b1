"""Annotate raw dialogues: train on labelled ones, write the others with a confidence for every slot."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from lineshaft import engine
from lineshaft.dialogue import metrics
from lineshaft.dialogue.annotators.model import Learner, Prediction
from lineshaft.dialogue.annotators.parts import Annotator
from lineshaft.dialogue.annotators.tracker import Stacker
from lineshaft.dialogue.corpora.own import Corpus, Opened
from lineshaft.dialogue.corpora.sample import Sample
from lineshaft.dialogue.corpus import jsonl
from lineshaft.dialogue.corpus.dialogue import Dialogue, Slot
from lineshaft.dialogue.corpus.ontology import Ontology, observed
from lineshaft.dialogue.tuning import tuned
from lineshaft.engine import Run

CHUNK = 200
"""Dialogues annotated at once: what is kept of them is dropped after each."""


class Config(engine.Config):
    """Annotate dialogues of a new language. An annotator learns from labelled dialogues (translated, or a few
    of the target language) and writes the target dialogues to annotated.jsonl, with the state of every turn,
    a confidence for every slot and a score for every turn. States that the target may hold are never read
    for this; where there are some, the annotation is scored against them afterwards."""

    version: ClassVar[int] = 2
    objective: ClassVar = ("val/jga", "max")

    data: Sample | Corpus = Field(Sample(), description="corpus: your own files; sample: the embedded one")
    annotator: Annotator = Field(Stacker(), description="what annotates")
    hindsight: bool = Field(False, description="it may read the agent's later acts, where these are given")
    threshold: float | None = Field(
        None, gt=0, lt=1, description="chance above which a change is made; none tunes it on validation"
    )


def run(config: Config, run: Run) -> dict[str, float]:
    """Train, annotate, write annotated.jsonl; metrics where the target has labels."""
    opened, ontology = _opened(config, run)
    shots, tuning = opened.validation[::2], opened.validation[1::2]
    learner: Learner = config.annotator.learner(ontology, [*opened.source, *shots], config.hindsight)
    examples = [learner.examples(part) for part in (opened.source, shots) if part]
    parts = [learner.prepare(part) for part in examples]
    model = learner.fit(parts, [learner.ones(part) for part in parts], config.seed)
    threshold, score = _threshold(config, model, ontology, tuning)
    written = _annotated(run, model, opened.target, threshold)
    found = {"dialogues": float(len(opened.target)), "threshold": threshold, "val/jga": score}
    return found | _summary(run, written) | _scored(ontology, opened.target, written)


def _opened(config: Config, run: Run) -> tuple[Opened, Ontology]:
    if isinstance(config.data, Corpus):
        opened = config.data.open(run)
        return opened, opened.ontology or observed([*opened.source, *opened.validation])
    material, ontology = config.data.load(run, config.seed)
    target = [material.target[index] for index in material.tested()]
    return Opened(material.source, target, material.validation, ontology), ontology


def _threshold(
    config: Config, model: Any, ontology: Ontology, tuning: Sequence[Dialogue]
) -> tuple[float, float]:
    """The threshold, and the joint goal accuracy on the dialogues it was tuned on (0 without any)."""
    if config.threshold is not None or not tuning:
        return config.threshold or 0.5, 0.0
    return tuned(model, ontology, tuning)


def _annotated(run: Run, model: Any, target: Sequence[Dialogue], threshold: float) -> list[Dialogue]:
    """Annotate and write, a chunk at a time."""
    written: list[Dialogue] = []
    chunks = [target[i : i + CHUNK] for i in range(0, len(target), CHUNK)]
    for chunk in run.progress(chunks, "dialogues"):
        raw = [dialogue.unlabelled() for dialogue in chunk]
        rolled = model.roll_out(raw, [threshold] * len(raw))
        written += [_with(dialogue, found) for dialogue, found in zip(raw, rolled)]
        model.forget()
    jsonl.write(run.dir / "annotated.jsonl", written)
    return written


def _with(dialogue: Dialogue, found: Sequence[Prediction]) -> Dialogue:
    """The dialogue with its annotation; a value carried on is as sure as when it was set, and as the
    decisions since then not to change it."""
    held: dict[Slot, float] = {}
    confidence = []
    for prediction in found:
        for slot, chance in prediction.slots.items():
            set_now = slot in prediction.update.assigned
            held[slot] = chance if set_now else held.get(slot, 1.0) * chance
        held = {slot: held.get(slot, 1.0) for slot in prediction.state}
        confidence.append(dict(held))
    states = [prediction.state for prediction in found]
    return dialogue.annotated(states, [prediction.confidence for prediction in found], confidence)


def _summary(run: Run, written: Sequence[Dialogue]) -> dict[str, float]:
    """How much was annotated and how surely; the least sure turns are listed in doubtful.jsonl."""
    turns = [
        (dialogue.id, number, turn) for dialogue in written for number, turn in enumerate(dialogue.turns)
    ]
    ranked = sorted(turns, key=lambda each: (each[2].score or 0.0, each[0], each[1]))
    with (run.dir / "doubtful.jsonl").open("w", encoding="utf-8") as file:
        for name, number, turn in ranked[: max(20, len(ranked) // 10)]:
            line = {"dialogue": name, "turn": number, "score": turn.score, "user": turn.user}
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
    print(f"{len(turns)} turns annotated: {run.dir / 'annotated.jsonl'}")
    scores = [turn.score or 0.0 for _, _, turn in turns]
    return {"turns": float(len(turns)), "score": float(np.mean(scores)) if scores else 0.0}


def _scored(ontology: Ontology, target: Sequence[Dialogue], written: Sequence[Dialogue]) -> dict[str, float]:
    """Joint goal accuracy on those target turns that have a state."""
    pairs = list(_states(target, written))
    if not pairs:
        return {}
    hits = np.array([metrics.agree(ontology, found, gold) for found, gold in pairs], bool)
    names = [f"target/jga{how}" for how in metrics.COMPARED]
    return {name: 100 * float(mean) for name, mean in zip(names, hits.mean(0))}


def _states(target: Sequence[Dialogue], written: Sequence[Dialogue]) -> Iterator[tuple[Any, Any]]:
    for dialogue, annotated in zip(target, written):
        for turn, other in zip(dialogue.turns, annotated.turns):
            if turn.state is not None:
                yield other.state, turn.state
