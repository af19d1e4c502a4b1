"""What does an annotator get wrong, and who finds it?"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from lineshaft import engine
from lineshaft.dialogue import pictures
from lineshaft.dialogue.annotators.parts import Tracking
from lineshaft.dialogue.annotators.rows import Example
from lineshaft.dialogue.annotators.tracker import Stacker
from lineshaft.dialogue.corpora.parts import Data
from lineshaft.dialogue.corpora.sample import Sample
from lineshaft.dialogue.corpus.dialogue import State
from lineshaft.dialogue.corpus.state import diff
from lineshaft.dialogue.errors import judge
from lineshaft.dialogue.errors.classify import Dense, Linear
from lineshaft.dialogue.errors.detection import auroc, average_precision, difference, rankings
from lineshaft.dialogue.errors.synthesise import Measured, Uniform
from lineshaft.dialogue.teacher import Settings, Teacher
from lineshaft.engine import Figure, Folder, Run


class Config(engine.Config):
    """Analyse an annotator's errors on labelled target dialogues (slot, value, pair, dialogue act), make
    negatives in these proportions and uniformly, train error classifiers on either and on the annotator's
    out-of-fold errors, and measure how well each finds the real errors: the annotator's on target dialogues,
    and another model's where the corpus brings its output. Beside them: confidence, cleanlab, rules."""

    version: ClassVar[int] = 2
    objective: ClassVar = ("val/auroc", "max")

    data: Data = Field(Sample(), description="corpus; sample is embedded, corpus is your own")
    annotator: Tracking = Field(Stacker(), description="the annotator that is analysed")
    hindsight: bool = Field(False, description="it may read the agent's later acts")


def run(config: Config, run: Run) -> dict[str, float]:
    """AUROC and average precision of every ranking on every set of errors; errors.json.

    Arrays: SET/NAME [turns] the doubt of each ranking, SET/wrong and SET/dialogue [turns].
    """
    material, ontology = config.data.load(run, config.seed)
    teacher = Teacher(material, ontology, Settings(config.annotator, config.hindsight, seed=config.seed))
    found = json.dumps(teacher.analysis.record(), ensure_ascii=False, indent=1)
    (run.dir / "errors.json").write_text(found + "\n", encoding="utf-8")
    known = _known(teacher)
    detectors = {
        f"{kind}_{name}": judge.trained(part, judged, config.seed).wrong
        for kind, judged in known.items()
        for name, part in (("dense", Dense()), ("linear", Linear()))
    }
    result = {f"turns/{kind}": float(len(judged.found)) for kind, judged in known.items()}
    tests = _tests(config, run, teacher)
    for name, (examples, wrong, dialogue) in tests.items():
        ranked = rankings(teacher.models, examples, detectors)
        result |= _scored(run, name, ranked, wrong, dialogue)
    return result


def figures(folder: Path) -> Iterable[Figure]:
    """Errors by slot and kind, and how well each ranking finds wrong turns."""
    return [pictures.errors(folder / "errors.json"), pictures.detection(Folder(folder))]


def overview(result: dict[str, float]) -> str:
    """The rankings as a table, the best on the last set of errors first."""
    names = [name for name in ("val", "annotator", "outside") if f"{name}/base" in result]
    methods = sorted(
        {key.split("/")[1] for key in result if key.endswith("/auroc") and key.count("/") == 2},
        key=lambda method: -result[f"{names[-1]}/{method}/auroc"],
    )
    lines = ["ranking".ljust(18) + "".join(f"{name} AUROC / AP".rjust(24) for name in names)]
    for method in methods:
        cells = [f"{result[f'{n}/{method}/auroc']:.3f} / {result[f'{n}/{method}/ap']:.3f}" for n in names]
        lines.append(method.ljust(18) + "".join(cell.rjust(24) for cell in cells))
    return "\n".join(lines)


def _known(teacher: Teacher) -> dict[str, judge.Judged]:
    """Annotations of the source that are known to be right or wrong: of three kinds, and all together."""
    analysis = teacher.analysis
    kinds = {
        "measured": teacher.judge.synthetic(Measured(), analysis),
        "uniform": teacher.judge.synthetic(Uniform(), analysis),
        "real": teacher.judge.real(teacher.threshold),
    }
    return kinds | {"pooled": judge.joined(list(kinds.values()))}


Test = tuple[list[Example], np.ndarray, np.ndarray]


def _tests(config: Config, run: Run, teacher: Teacher) -> dict[str, Test]:
    """Sets of errors: validation (for choosing), the annotator's on the target, another model's."""
    known = teacher.judged
    sizes = [len(dialogue.turns) for dialogue in teacher.validation]
    sets: dict[str, Test] = {"val": (known.found, known.wrong, np.repeat(np.arange(len(sizes)), sizes))}
    if teacher.gold:
        notes = teacher.annotations
        sets["annotator"] = (notes.examples, ~notes.right, notes.dialogue)
    outside = getattr(config.data, "outside", None)
    if outside is not None:
        sets["outside"] = _outside(teacher, outside(run))
    return sets


def _outside(teacher: Teacher, states: Sequence[Sequence[State]]) -> Test:
    """Another model's states of the target dialogues, each turn given the gold state before it."""
    examples = judge.seen(teacher.trainers, teacher.material.target)
    predicted = [state for each in states for state in each]
    gold = [turn.state or {} for dialogue in teacher.material.target for turn in dialogue.turns]
    ontology = teacher.ontology
    found = [
        Example(e.scene, e.previous, diff(e.previous, state), e.group, e.looking_ahead)
        for e, state in zip(examples, predicted)
    ]
    wrong = [ontology.canonical_state(p) != ontology.canonical_state(g) for p, g in zip(predicted, gold)]
    sizes = [len(dialogue.turns) for dialogue in teacher.material.target]
    return found, np.array(wrong, bool), np.repeat(np.arange(len(sizes)), sizes)


def _scored(
    run: Run, name: str, ranked: dict[str, np.ndarray], wrong: np.ndarray, dialogue: np.ndarray
) -> dict[str, float]:
    """Save the rankings of a set and score them."""
    run.array(f"{name}/wrong", wrong)
    run.array(f"{name}/dialogue", dialogue)
    result: dict[str, Any] = {f"{name}/base": 100 * float(wrong.mean())}
    for method, doubt in ranked.items():
        run.array(f"{name}/{method}", doubt.astype(np.float32))
        result[f"{name}/{method}/auroc"] = auroc(wrong, doubt)
        result[f"{name}/{method}/ap"] = average_precision(wrong, doubt)
    gain = difference(wrong[None], ranked["measured_dense"][None], ranked["uniform_dense"][None], dialogue)
    for end, value in zip(("", "_low", "_high"), gain):
        result[f"{name}/measured_over_uniform{end}"] = value
    if name == "val":
        result["val/auroc"] = result["val/measured_dense/auroc"]
    return result
