"""Any sequence-to-sequence model by its Hugging Face name: it reads a line of text and writes the update.

Input and output are those of X-RiSAWOZ and BiToD (Moradshahi et al. 2023), the update instead of the whole
state, which is shorter and cannot forget: `DST: <state> .. <endofstate> <history> AGENT_ACTS: .. USER: ..
<endofhistory>` -> `( hotel ) area equal_to " north "`. What cannot be read of an output is left out. The
confidence of a turn is the likelihood of the output, which is the same for each slot that it changes.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch
from pydantic import Field

from lineshaft.dialogue.annotators import hub
from lineshaft.dialogue.annotators.line_text import joined, source, written
from lineshaft.dialogue.annotators.model import Prediction
from lineshaft.dialogue.annotators.rows import Example, examples
from lineshaft.dialogue.annotators.scene import Scene, scene
from lineshaft.dialogue.corpus.dialogue import Dialogue, Slot, State, Value
from lineshaft.dialogue.corpus.ontology import Ontology
from lineshaft.dialogue.corpus.state import Update, apply, read
from lineshaft.dialogue.corpus.text import plain
from lineshaft.engine import Part


class Seq2seq(Part):
    """A sequence-to-sequence model by its Hugging Face name, or from a folder, trained further."""

    name: Literal["seq2seq"] = "seq2seq"
    model: str = Field("", description="such as google/mt5-small, or a folder")
    epochs: int = Field(3, ge=1, description="passes over the training turns")
    lr: float = Field(3e-4, gt=0, description="learning rate of AdamW, falling to zero")
    batch: int = Field(16, ge=1, description="turns in a batch")
    longest: int = Field(128, ge=8, description="tokens of an output at most")

    def learner(
        self, ontology: Ontology, labelled: Sequence[Dialogue], hindsight: bool = False
    ) -> Seq2seqLearner:
        return Seq2seqLearner(self, ontology)


@dataclass(frozen=True)
class Pair:
    """One turn as text to read and text to write."""

    read: str
    write: str


class Pairs(list[Pair]):
    """Prepared examples."""

    def take(self, indices: Sequence[int] | np.ndarray) -> Pairs:
        return Pairs(self[i] for i in indices)


class Seq2seqLearner:
    """Trains copies of one model."""

    hindsight = False

    def __init__(self, part: Seq2seq, ontology: Ontology) -> None:
        self.part, self.ontology = part, ontology
        self.tokenizer, self.initial = hub.load(part.model)
        self.device = "cuda" if torch.cuda.is_available() else "cpu"

    def examples(self, dialogues: Sequence[Dialogue]) -> list[Example]:
        """The annotated turns of dialogues."""
        return examples(_Plain(), dialogues)  # type: ignore[arg-type]

    def prepare(self, found: Sequence[Example]) -> Pairs:
        """Examples as text."""
        return Pairs(Pair(source(e.scene, e.previous), written(e.update)) for e in found)

    def ones(self, part: Pairs) -> np.ndarray:
        """The weight 1 for every turn."""
        return np.ones(len(part))

    def fit(
        self, parts: Sequence[Pairs], weights: Sequence[np.ndarray], seed: int, start: Any = None
    ) -> Seq2seqModel:
        """A model trained on all turns; weights: of each turn."""
        pairs, weight = [pair for part in parts for pair in part], np.concatenate(weights)
        used = np.flatnonzero(weight > 0)
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            model = copy.deepcopy(self.initial).to(self.device).train()
            self._train(model, [pairs[i] for i in used], weight[used], np.random.default_rng(seed))
        return Seq2seqModel(self, model.eval())

    def _train(self, model: Any, pairs: Sequence[Pair], weight: np.ndarray, rng: np.random.Generator) -> None:
        optimizer = torch.optim.AdamW(model.parameters(), lr=self.part.lr)
        steps = self.part.epochs * -(-len(pairs) // self.part.batch)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / max(1, steps))
        for _ in range(self.part.epochs):
            order = rng.permutation(len(pairs))
            for begin in range(0, len(order), self.part.batch):
                chosen = order[begin : begin + self.part.batch]
                optimizer.zero_grad()
                loss = self._loss(model, [pairs[i] for i in chosen], weight[chosen])
                loss.backward()  # type: ignore[no-untyped-call]
                torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                schedule.step()

    def _loss(self, model: Any, pairs: Sequence[Pair], weight: np.ndarray) -> torch.Tensor:
        """Mean log loss of a turn's tokens, weighted by turn."""
        inputs = self.encoded([pair.read for pair in pairs])
        labels = self.encoded([pair.write for pair in pairs])["input_ids"]
        labels = labels.masked_fill(labels == self.tokenizer.pad_token_id, -100)
        logits = model(**inputs, labels=labels).logits
        loss = torch.nn.functional.cross_entropy(logits.transpose(1, 2), labels, reduction="none")
        tokens = (labels != -100).sum(1)
        each = loss.sum(1) / tokens.clamp(min=1)
        by_turn = torch.as_tensor(weight, dtype=each.dtype, device=each.device)
        mean: torch.Tensor = (each * by_turn).sum() / by_turn.sum()
        return mean

    def spelt(self, slot: Slot, value: Value) -> Value:
        """A value as the ontology spells it, where they differ by spaces alone: some tokenizers give back
        `7 : 30` for `7:30`."""
        known = self._spellings.get(slot, {})
        return Value(tuple(known.get(_close(name), name) for name in value.values), value.relation)

    @cached_property
    def _spellings(self) -> dict[Slot, dict[str, str]]:
        surfaces = self.ontology.surfaces.items()
        return {slot: {_close(name): name for name in sorted(names)} for slot, names in surfaces}

    def encoded(self, texts: Sequence[str]) -> Any:
        """Tokens with the end of the text, padded."""
        ended = [text + self.tokenizer.eos_token for text in texts]
        found = self.tokenizer(
            ended,
            return_tensors="pt",
            padding=True,
            truncation=True,
            max_length=512,
            add_special_tokens=False,
        )
        return {key: found[key].to(self.device) for key in ("input_ids", "attention_mask")}


class Seq2seqModel:
    """A trained model that annotates."""

    def __init__(self, learner: Seq2seqLearner, model: Any) -> None:
        self.learner, self.model = learner, model

    def roll_out(self, dialogues: Sequence[Dialogue], thresholds: Sequence[float]) -> list[list[Prediction]]:
        """Annotations from the model's own states; an output below its threshold is not believed."""
        found: list[list[Prediction]] = [[] for _ in dialogues]
        states: list[State] = [{} for _ in dialogues]
        for number in range(max((len(dialogue.turns) for dialogue in dialogues), default=0)):
            here = [i for i, dialogue in enumerate(dialogues) if number < len(dialogue.turns)]
            pairs = [(scene(dialogues[i], number), states[i]) for i in here]
            for i, prediction in zip(here, self._predicted(pairs, [thresholds[i] for i in here])):
                found[i].append(prediction)
                states[i] = prediction.state
        return found

    def given(self, turns: Sequence[tuple[Dialogue, int]], threshold: float) -> list[Prediction]:
        """Annotations of turns, each given the dialogue's own state before it."""
        pairs = [(scene(dialogue, number), dialogue.previous(number)) for dialogue, number in turns]
        return self._predicted(pairs, [threshold] * len(pairs))

    def forget(self) -> None:
        """Nothing is kept."""

    def _predicted(
        self, pairs: Sequence[tuple[Scene, State]], thresholds: Sequence[float]
    ) -> list[Prediction]:
        """Predictions of turns; equal turns (one at several thresholds) are read once."""
        texts = [source(scene, previous) for scene, previous in pairs]
        distinct = list(dict.fromkeys(texts))
        written = dict(zip(distinct, zip(*self._generated(distinct))))
        return [
            self._read(*written[text], previous, threshold)
            for text, (_, previous), threshold in zip(texts, pairs, thresholds)
        ]

    def _read(self, line: str, chance: float, previous: State, threshold: float) -> Prediction:
        """A slot keeps the name that it has in the ontology, which may hold spaces."""
        names = {joined(slot): slot for slot in [*previous, *self.learner.ontology.surfaces]}
        update, _ = read(line) if chance > threshold * FLOOR else (Update(), [])
        named = {names.get(slot, slot): value for slot, value in update.assigned.items()}
        meant = Update(
            {slot: self.learner.spelt(slot, value) for slot, value in named.items()},
            frozenset(names.get(slot, slot) for slot in update.removed),
        )
        touched = meant.assigned.keys() | meant.removed
        return Prediction(meant, apply(previous, meant), chance, dict.fromkeys(touched, chance))

    def _generated(self, texts: Sequence[str]) -> tuple[list[str], list[float]]:
        """Greedy outputs and the likelihood of each."""
        lines: list[str] = []
        chances: list[float] = []
        for begin in range(0, len(texts), TURNS):
            inputs = self.learner.encoded(texts[begin : begin + TURNS])
            with torch.inference_mode():
                made = self.model.generate(
                    **inputs,
                    max_new_tokens=self.learner.part.longest,
                    do_sample=False,
                    output_scores=True,
                    return_dict_in_generate=True,
                )
                scores = self.model.compute_transition_scores(
                    made.sequences, made.scores, normalize_logits=True
                )
            lines += self.learner.tokenizer.batch_decode(made.sequences, skip_special_tokens=True)
            chances += torch.exp(scores.masked_fill(~scores.isfinite(), 0).sum(1)).tolist()
        return lines, chances


FLOOR = 0.1
"""A whole output is much less likely than a single change, so a threshold counts a tenth here."""
TURNS = 128
"""Turns written at once."""


def _close(name: str) -> str:
    return "".join(plain(name).split())


class _Plain:
    """Sees turns as they are."""

    def scene(self, dialogue: Dialogue, number: int) -> Scene:
        return scene(dialogue, number)
