"""Train on translated dialogues, annotate natural ones, filter, train again: what is gained?"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from pydantic import Field

from lineshaft import engine
from lineshaft.dialogue import data, metrics, pictures
from lineshaft.dialogue.adapters import sample, woz2, xrisawoz
from lineshaft.dialogue.bootstrap import bootstrap
from lineshaft.dialogue.corpus import Material
from lineshaft.dialogue.schema import Ontology
from lineshaft.dialogue.students import CONTROLS, SYSTEMS, Students, at_edge
from lineshaft.engine import Figure, Folder, Run


class Config(engine.Config):
    """Cross-lingual state tracking with automatic annotations. An annotator trained on translated dialogues
    (the lower bound) annotates unlabelled dialogues of the target language; students learn from these too:
    unfiltered, the most confident share, the right ones (oracle), a random drop of the same size beside each
    filter, gold instead (full-shot), permuted gold (control). Thresholds are tuned on validation
    dialogues."""

    version: ClassVar[int] = 1
    objective: ClassVar = ("val/jga", "max")

    data: Literal["sample", "woz2", "xrisawoz"] = Field(
        "sample", description="corpus; sample is embedded, made up"
    )
    c: float = Field(0.3, gt=0, description="inverse of the L2 penalty of the annotator and its students")
    share: float = Field(0.85, gt=0, le=1, description="share of annotated turns the confidence filter keeps")
    masks: int = Field(3, ge=1, description="random masks beside each filter")


def run(config: Config, run: Run) -> dict[str, float]:
    """All systems on all folds; canonical and strict metrics in per cent, intervals over dialogues."""
    material, ontology = load(config, run)
    students = Students(material, ontology, config.c, config.share, config.masks, config.seed)
    done: dict[str, Any] = {}
    if run.state is not None:
        done = {} if run.relaunched else dict(run.state["done"])  # a relaunch keeps the annotator alone
        students.annotator = run.state["annotator"].numpy()

    def state() -> dict[str, Any]:
        return {"annotator": torch.from_numpy(students.annotator), "done": done}

    for step, job in enumerate(run.progress(students.jobs(), "students")):
        if str(job) not in done:
            done[str(job)] = students.outcome(job)
            run.log(step, {f"{job.system}/val/jga": done[str(job)]["val"]})
        run.checkpoint(step, state, done[str(job)]["val"] if job.system == "confidence" else None)
    return report(run, students, done)


def load(config: Config, run: Run) -> tuple[Material, Ontology]:
    """The corpus a configuration names."""
    if config.data == "sample":
        return sample.load(config.seed)
    dataset, adapter = {"woz2": (data.WOZ2, woz2), "xrisawoz": (data.XRISAWOZ, xrisawoz)}[config.data]
    return adapter.load(run.data(dataset), config.seed)


def report(run: Run, students: Students, done: dict[str, Any]) -> dict[str, float]:
    """Save what each system got right, turn by turn, and sum it up.

    Arrays: NAME [4, turns] for each system (rows: metrics.METRICS; the mean over random masks), `dialogue`
    and `number` [turns].
    """
    tested = [students.material.target[index] for index in students.material.tested()]
    dialogue = np.repeat(np.arange(len(tested)), [len(each.turns) for each in tested])
    right = {**metrics.score_trivial(students.ontology, tested), **_collected(students, done)}
    run.array("dialogue", dialogue)
    run.array("number", np.concatenate([np.arange(len(each.turns)) for each in tested]))
    for system, hits in right.items():
        run.array(system, hits.astype(np.float32))
    return _means(right) | _training(students, done) | _gains(right, dialogue)


def figures(folder: Path) -> Iterable[Figure]:
    """Systems between their bounds, and accuracy along the dialogue."""
    return [pictures.bars(Folder(folder)), pictures.by_turn(Folder(folder))]


def _collected(students: Students, done: dict[str, Any]) -> dict[str, np.ndarray]:
    """System -> float [4, turns] over all tested dialogues in order, averaged over masks."""
    material, collected = students.material, {}
    for system in SYSTEMS:
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
    turns = len(students.annotations.right)
    values = {"val/jga": [], "annotation/right": [100 * students.annotations.right.mean()]}
    for job in students.jobs():
        outcome = done[str(job)]
        available = len(students.available(job.fold))
        values.setdefault(f"{job.system}/kept", []).append(100 * outcome["kept"] / available)
        values.setdefault(f"{job.system}/threshold", []).append(outcome["threshold"])
        values.setdefault(f"{job.system}/at_edge", []).append(100 * at_edge(outcome["threshold"]))
        if job.system == "confidence":
            values["val/jga"].append(outcome["val"])
    return {name: float(np.mean(each)) for name, each in values.items()} | {"annotation/turns": float(turns)}


def _gains(right: dict[str, np.ndarray], dialogue: np.ndarray) -> dict[str, float]:
    """Paired differences with their intervals: students above the lower bound, filters above their random
    control (JGA), and the permuted control above copying (turn EM)."""
    pairs = [
        (f"{system}/gain", right[system][0] - right["lower"][0]) for system in SYSTEMS if system != "lower"
    ]
    pairs += [
        (f"{name}/over_random", right[name][0] - right[control][0]) for control, name in CONTROLS.items()
    ]
    pairs += [("permuted/over_copy", right["permuted"][2] - right["copy"][2])]
    found = {}
    for name, difference in pairs:
        found[name], found[f"{name}_low"], found[f"{name}_high"] = bootstrap(difference, dialogue)
    return found
