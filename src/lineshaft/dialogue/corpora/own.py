"""One's own corpus: files of dialogues, an ontology if there is one, a map of values if there is one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field

from lineshaft.dialogue.corpus.alignment import Alignment, read_alignment
from lineshaft.dialogue.corpus.dialogue import Dialogue
from lineshaft.dialogue.corpus.faults import Reading, summary
from lineshaft.dialogue.corpus.material import Fold, Material, deal
from lineshaft.dialogue.corpus.ontology import Ontology, observed
from lineshaft.dialogue.corpus.ontology_file import check, read_ontology
from lineshaft.dialogue.corpus.read import read
from lineshaft.engine import Part, RequestError, Run

HELD_OUT = 0.2


class Corpus(Part):
    """Your own dialogues: files in the form of docs/dialogue.md, or of a published corpus."""

    name: Literal["corpus"] = "corpus"
    source: str = Field("", description="labelled dialogues, translated or in the target language")
    target: str = Field("", description="natural dialogues of the target language, labelled or not")
    validation: str = Field(
        "", description="labelled target dialogues for tuning; else a fifth of the target's"
    )
    ontology: str = Field(
        "", description="values by domain and slot; else those seen in source and validation"
    )
    alignment: str = Field("", description="map of source values to target values")

    def load(self, run: Run, seed: int) -> tuple[Material, Ontology]:
        """Source, target and validation, with all findings in the run's faults.jsonl."""
        opened = self.open(run)
        labelled = [dialogue for dialogue in opened.target if dialogue.labelled]
        raw = [dialogue for dialogue in opened.target if not dialogue.labelled]
        validation = opened.validation
        if not validation:
            labelled, validation = _held_out(labelled, seed)
        if len(labelled) < 3 or not validation:
            raise RequestError(
                f"{self.target or self.source}: the loop tests on labelled target dialogues and "
                f"tunes on others; {len(labelled)} and {len(validation)} are there. "
                "`dialogue.annotate` needs none"
            )
        target = labelled + raw
        folds = [Fold(tuple(range(len(labelled), len(target))), tuple(range(len(labelled))))]
        ontology = opened.ontology or observed([*opened.source, *validation])
        material = Material(
            "corpus", opened.source, target, validation, folds if raw else deal(len(target), seed)
        )
        return material, ontology

    def open(self, run: Run) -> Opened:
        """The files as they are, values of the source put into the target language."""
        files = {key: Path(value) for key, value in self._paths().items()}
        if "source" not in files or "target" not in files:
            raise RequestError(
                "name both files: data=corpus data.source=FILE data.target=FILE (docs/dialogue.md)"
            )
        _unchanged(run, files)
        readings = {key: read(files[key]) for key in ("source", "target", "validation") if key in files}
        alignment = read_alignment(files["alignment"]) if "alignment" in files else Alignment({})
        ontology = read_ontology(files["ontology"]) if "ontology" in files else None
        source = [alignment.project(dialogue) for dialogue in readings["source"].needed()]
        for cause in alignment.missing():
            readings["source"].fault(0, cause, dropped=False)
        if ontology:
            for reading in readings.values():
                check(reading, ontology)
        _told(run, list(readings.values()))
        unknown = [dialogue.id for dialogue in source if not any(t.state is not None for t in dialogue.turns)]
        if len(unknown) == len(source):
            raise RequestError(f"{files['source']}: no turn has a state, so there is nothing to learn from")
        validation = readings["validation"].needed() if "validation" in readings else []
        return Opened(source, readings["target"].needed(), validation, ontology)

    def _paths(self) -> dict[str, str]:
        named = {
            key: getattr(self, key) for key in ("source", "target", "validation", "ontology", "alignment")
        }
        return {key: value for key, value in named.items() if value}


class Opened:
    """What the files hold; `ontology` is None where no file gives one."""

    def __init__(
        self,
        source: list[Dialogue],
        target: list[Dialogue],
        validation: list[Dialogue],
        ontology: Ontology | None,
    ) -> None:
        self.source, self.target, self.validation, self.ontology = source, target, validation, ontology


def _held_out(labelled: Sequence[Dialogue], seed: int) -> tuple[list[Dialogue], list[Dialogue]]:
    """Labelled dialogues, and a fifth of them for tuning."""
    order = np.random.default_rng([seed, 5]).permutation(len(labelled))
    held = set(order[: int(HELD_OUT * len(labelled))].tolist())
    return (
        [dialogue for i, dialogue in enumerate(labelled) if i not in held],
        [dialogue for i, dialogue in enumerate(labelled) if i in held],
    )


def _unchanged(run: Run, files: dict[str, Path]) -> None:
    """Refuse to go on with a run whose files have changed since it began."""
    for path in files.values():
        if not path.is_file():
            raise RequestError(f"{path} is not a file: paths are read from {Path.cwd()}")
    sums = {key: hashlib.sha256(path.read_bytes()).hexdigest() for key, path in sorted(files.items())}
    kept = run.dir / "corpus.json"
    if kept.exists():
        known: dict[str, Any] = json.loads(kept.read_text())
        for key, value in sums.items():
            if known.get(key, value) != value:
                raise RequestError(f"{files[key]} changed since this run began: restore it or remove the run")
    kept.write_text(json.dumps(sums, indent=1) + "\n")


def _told(run: Run, readings: list[Reading]) -> None:
    """Log what was read and write every finding to faults.jsonl."""
    print(summary(readings))
    faults = [fault.record() for reading in readings for fault in reading.faults]
    lines = "".join(json.dumps(fault, ensure_ascii=False) + "\n" for fault in faults)
    (run.dir / "faults.jsonl").write_text(lines, encoding="utf-8")


def unlabelled(dialogues: Sequence[Dialogue]) -> list[Dialogue]:
    """Dialogues without their states: what an annotator may see."""
    return [replace(dialogue).unlabelled() for dialogue in dialogues]
