"""Train on translated dialogues, annotate natural ones, filter, train again: what is gained?"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field, field_validator

from lineshaft import engine
from lineshaft.dialogue import metrics, pictures, table
from lineshaft.dialogue.annotators.parts import Tracking
from lineshaft.dialogue.annotators.tracker import Stacker
from lineshaft.dialogue.bootstrap import bootstrap
from lineshaft.dialogue.corpora.parts import Data
from lineshaft.dialogue.corpora.sample import Sample
from lineshaft.dialogue.errors.classify import Dense, Linear
from lineshaft.dialogue.students import Students
from lineshaft.dialogue.systems import SYSTEMS, System
from lineshaft.dialogue.teacher import Settings
from lineshaft.dialogue.tuning import at_edge
from lineshaft.engine import Figure, Folder, Run


class Config(engine.Config):
    """Cross-lingual state tracking with automatic annotations. An annotator trained on translated dialogues
    (the lower bound) annotates unlabelled dialogues of the target language; students learn from these too:
    all of them, those a filter keeps (confidence, error classifier, both, single slots), the right ones
    (oracle), gold instead (full-shot), beside each filter a random drop of its size and kind. Thresholds are
    tuned on validation dialogues, for every system alike."""

    version: ClassVar[int] = 3
    objective: ClassVar = ("val/jga", "max")

    data: Data = Field(Sample(), description="corpus; sample is embedded, corpus is your own")
    annotator: Tracking = Field(Stacker(), description="what annotates, and every student")
    hindsight: bool = Field(False, description="the annotator may read the agent's later acts")
    shots: int = Field(0, ge=0, description="labelled target dialogues that all systems learn from")
    share: float = Field(0.85, gt=0, le=1, description="share of annotated turns that a filter keeps")
    masks: int = Field(1, ge=1, description="random masks beside each filter")
    classifier: Dense | Linear = Field(Dense(), description="error classifier behind the filters")
    negatives: Literal["real", "measured", "uniform"] = Field(
        "real", description="what it learns from: the annotator's out-of-fold errors, or made-up ones"
    )
    systems: tuple[str, ...] = Field(
        (), description="systems to compare with the lower bound and all annotations; none names all of them"
    )

    @field_validator("systems")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := [name for name in names if name not in SYSTEMS]:
            raise ValueError(f"unknown system {unknown[0]!r}; known: {', '.join(SYSTEMS)}")
        return names


def run(config: Config, run: Run, systems: Mapping[str, System] = SYSTEMS) -> dict[str, float]:
    """All systems on all folds; three metrics in per cent, intervals over dialogues.

    A filter of one's own is one more system, with its control: `run(config, run, SYSTEMS | MINE)`.
    """
    material, ontology = config.data.load(run, config.seed)
    students = Students(material, ontology, settings(config), systems)
    done: dict[str, Any] = {}
    if run.state is not None and not run.relaunched:
        done = dict(run.state["done"])
    for step, job in enumerate(run.progress(students.jobs(), "students")):
        if str(job) not in done:
            done[str(job)] = students.outcome(job)
            run.log(step, {f"{job.system}/val/jga": done[str(job)]["val"]})
        run.checkpoint(step, lambda: {"done": done}, done[str(job)]["val"] if job.system == "all" else None)
    return report(run, students, done)


def settings(config: Config) -> Settings:
    """What the students need of a configuration."""
    return Settings(
        config.annotator,
        config.hindsight,
        config.shots,
        config.share,
        config.masks,
        config.classifier,
        config.negatives,
        config.seed,
        config.systems,
    )


def report(run: Run, students: Students, done: dict[str, Any]) -> dict[str, float]:
    """Save what each system got right, turn by turn, and sum it up.

    Arrays: NAME [METRICS, turns] for each system (rows: metrics.METRICS; the mean over random masks),
    `dialogue` and `number` [turns]. errors.json: the annotator's errors on the validation dialogues.
    """
    tested = [students.material.target[index] for index in students.material.tested()]
    dialogue = np.repeat(np.arange(len(tested)), [len(each.turns) for each in tested])
    right = {**metrics.score_trivial(students.ontology, tested), **_collected(students, done)}
    right["ceiling"] = metrics.ceiling(students.learner.proposer, tested)
    run.array("dialogue", dialogue)
    run.array("number", np.concatenate([np.arange(len(each.turns)) for each in tested]))
    for system, hits in right.items():
        run.array(system, hits.astype(np.float32))
    found = json.dumps(students.teacher.analysis.record(), ensure_ascii=False, indent=1)
    (run.dir / "errors.json").write_text(found + "\n", encoding="utf-8")
    return _means(right) | _training(students, done) | _gains(students, right, dialogue)


def overview(result: dict[str, float]) -> str:
    """The systems as a table."""
    return table.systems(result)


def figures(folder: Path) -> Iterable[Figure]:
    """Systems between their bounds, accuracy along the dialogue, and what the annotator gets wrong."""
    home = Folder(folder)
    return [pictures.bars(home), pictures.by_turn(home), pictures.errors(folder / "errors.json")]


def _collected(students: Students, done: dict[str, Any]) -> dict[str, np.ndarray]:
    """System -> float [METRICS, turns] over all tested dialogues in order, averaged over masks."""
    import torch

    material, collected = students.material, {}
    for system in students.names:
        columns: dict[int, np.ndarray] = {}
        for number, fold in enumerate(material.folds):
            masks = [
                done[str(job)]["right"]
                for job in students.jobs()
                if (job.system, job.fold) == (system, number)
            ]
            hits = torch.stack(masks).double().mean(0).numpy()
            ends = np.cumsum([len(material.target[index].turns) for index in fold.test])[:-1]
            columns |= dict(zip(fold.test, np.split(hits, ends, axis=1)))
        collected[system] = np.concatenate([columns[index] for index in material.tested()], axis=1)
    return collected


def _means(right: dict[str, np.ndarray]) -> dict[str, float]:
    return {
        f"{system}/{metric}": 100 * float(hits[row].mean())
        for system, hits in right.items()
        for row, metric in enumerate(metrics.METRICS)
    }


def _training(students: Students, done: dict[str, Any]) -> dict[str, float]:
    """What each student learnt from, and the validation score that tuning may look at."""
    values: dict[str, list[float]] = {"val/jga": []}
    for job in students.jobs():
        outcome = done[str(job)]
        values.setdefault(f"{job.system}/kept", []).append(100 * outcome["kept"])
        values.setdefault(f"{job.system}/threshold", []).append(outcome["threshold"])
        values.setdefault(f"{job.system}/at_edge", []).append(100 * at_edge(outcome["threshold"]))
        if job.system == "all":
            values["val/jga"].append(outcome["val"])
    found = {name: float(np.mean(each)) for name, each in values.items()}
    notes = students.teacher.annotations
    found["annotation/turns"] = float(len(notes.examples))
    if "oracle" in students.names:
        found["annotation/right"] = 100 * float(notes.right.mean())
    return found


def _gains(students: Students, right: dict[str, np.ndarray], dialogue: np.ndarray) -> dict[str, float]:
    """Paired differences with their intervals: systems above the lower bound, filters above their random
    control (JGA), and the permuted control above copying (turn EM)."""
    names = students.names
    pairs = [(f"{name}/gain", right[name][0] - right["lower"][0]) for name in names if name != "lower"]
    for name in names:
        for filtered in students.systems[name].control:
            if filtered in names:
                pairs.append((f"{filtered}/over_random", right[filtered][0] - right[name][0]))
    if "permuted" in names:
        em = metrics.METRICS.index("turn_em")
        pairs.append(("permuted/over_copy", right["permuted"][em] - right["copy"][em]))
    found = {}
    for name, difference in pairs:
        found[name], found[f"{name}_low"], found[f"{name}_high"] = bootstrap(difference, dialogue)
    return found
