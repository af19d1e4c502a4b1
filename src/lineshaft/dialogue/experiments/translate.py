"""Translate labelled dialogues, put their values into the other language, and check the result."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from lineshaft import engine
from lineshaft.dialogue import sample
from lineshaft.dialogue.corpora.sample import ontology as sample_ontology
from lineshaft.dialogue.corpora.sample import read as read_sample
from lineshaft.dialogue.corpus import jsonl
from lineshaft.dialogue.corpus.alignment import Alignment, read_alignment
from lineshaft.dialogue.corpus.dialogue import Dialogue
from lineshaft.dialogue.corpus.ontology import Ontology
from lineshaft.dialogue.corpus.ontology_file import read_ontology
from lineshaft.dialogue.corpus.read import read
from lineshaft.dialogue.translate.checks import Finding, checked
from lineshaft.dialogue.translate.replay import read_database, replay
from lineshaft.dialogue.translate.translators import Table, Translator
from lineshaft.engine import RequestError, Run


class Config(engine.Config):
    """Translate the user's turns of dialogues, project the values of states and acts by a map, and check
    every turn: values that stand nowhere, words left over, lost numbers, odd lengths, searches that find
    nothing. Writes translated.jsonl and findings.jsonl. Without a file it checks the embedded sample, whose
    translator loses and falsifies words."""

    version: ClassVar[int] = 1

    source: str = Field("", description="dialogues in the form of docs/dialogue.md; none is the sample")
    translator: Translator = Field(Table(), description="table, apertium or hf (a model by name)")
    alignment: str = Field("", description="map of values to their translations")
    ontology: str = Field("", description="values of the target language, for the checks")
    database: str = Field("", description="folder of DOMAIN.json files, for replaying searches")
    waived: str = Field("", description="findings.jsonl of an earlier run whose findings are accepted")
    language: str = Field("en", description="language of the translations, noted in the file")


def run(config: Config, run: Run) -> dict[str, float]:
    """Translate, project, check."""
    ontology = _ontology(config)
    dialogues, alignment = _sample() if not config.source else _translated(config)
    waived = _waived(Path(config.waived)) if config.waived else []
    found = checked(dialogues, ontology, waived)
    if config.database:
        found += replay(dialogues, read_database(Path(config.database), ontology))
    jsonl.write(run.dir / "translated.jsonl", dialogues)
    lines = "".join(json.dumps(each.record(), ensure_ascii=False) + "\n" for each in found)
    (run.dir / "findings.jsonl").write_text(lines, encoding="utf-8")
    print(_summary(found, alignment))
    turns = sum(len(dialogue.turns) for dialogue in dialogues)
    counts = Counter(finding.check for finding in found)
    result = {"turns": float(turns), "findings": float(len(found)), "missing": float(len(alignment.unknown))}
    return result | {f"findings/{check}": float(count) for check, count in sorted(counts.items())}


def _translated(config: Config) -> tuple[list[Dialogue], Alignment]:
    dialogues = read(Path(config.source)).needed()
    texts = [turn.user for dialogue in dialogues for turn in dialogue.turns]
    lines = iter(config.translator.translate(texts))
    alignment = read_alignment(Path(config.alignment)) if config.alignment else Alignment({})
    found = [alignment.project(_with(dialogue, lines, config.language)) for dialogue in dialogues]
    return found, alignment


def _with(dialogue: Dialogue, lines: Any, language: str) -> Dialogue:
    turns = tuple(replace(turn, user=next(lines), original=turn.user) for turn in dialogue.turns)
    return replace(dialogue, turns=turns, language=language)


def _sample() -> tuple[list[Dialogue], Alignment]:
    return read_sample(sample.dialogues(50, 0, translated=True), "projected"), Alignment({})


def _ontology(config: Config) -> Ontology | None:
    if config.ontology:
        return read_ontology(Path(config.ontology))
    return None if config.source else sample_ontology()


def _waived(path: Path) -> list[tuple[str, str, int]]:
    try:
        records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        return [(record["check"], record["dialogue"], record["turn"]) for record in records]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise RequestError(f"{path} is not a findings.jsonl ({error!r})") from error


def _summary(found: Sequence[Finding], alignment: Alignment) -> str:
    """How many findings of each check, with the first of each, and values without a translation."""
    lines = []
    for check, count in Counter(finding.check for finding in found).most_common():
        first = next(finding for finding in found if finding.check == check)
        lines.append(f"{check}: {count}; {first.dialogue} turn {first.turn}: {first.cause} -> {first.fix}")
    return "\n".join([*lines, *alignment.missing()]) or "no findings"
