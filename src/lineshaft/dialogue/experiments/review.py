"""Post-edit annotations: a page with the most doubtful turns first, and the patch it writes applied."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from lineshaft import engine
from lineshaft.dialogue.corpus import jsonl
from lineshaft.dialogue.corpus.dialogue import Dialogue
from lineshaft.dialogue.experiments import annotate
from lineshaft.dialogue.review.page import page
from lineshaft.dialogue.review.patch import applied, read_patch
from lineshaft.engine import RequestError, Run


class Config(engine.Config):
    """Make a page for reviewing annotated dialogues: the most doubtful turns first, each accepted, edited or
    rejected; the page saves these decisions as a patch. With a patch, apply it and write reviewed.jsonl.
    Without a file it shows the annotated sample."""

    version: ClassVar[int] = 1

    annotated: str = Field("", description="annotated.jsonl of dialogue.annotate; none is the sample's")
    findings: str = Field("", description="findings.jsonl of dialogue.translate, shown with their turns")
    patch: str = Field("", description="patch.jsonl that the page saved, to be applied")


def run(config: Config, run: Run) -> dict[str, float]:
    """Write review.html, and reviewed.jsonl where there is a patch."""
    dialogues, name = _annotated(config, run)
    result: dict[str, float] = {}
    if config.patch:
        dialogues, result = _reviewed(config, run, dialogues)
    found = page(dialogues, _findings(config), name)
    (run.dir / "review.html").write_text(found, encoding="utf-8")
    print(f"open {run.dir / 'review.html'} in a browser")
    return {"turns": float(sum(len(dialogue.turns) for dialogue in dialogues))} | result


def _annotated(config: Config, run: Run) -> tuple[list[Dialogue], str]:
    if config.annotated:
        path = Path(config.annotated)
        if not path.is_file():
            raise RequestError(f"{path} is not a file; name the annotated.jsonl of a dialogue.annotate run")
        return jsonl.read(path).needed(), path.name
    folder = run.need(annotate.Config(seed=config.seed))
    return jsonl.read(folder.dir / "annotated.jsonl").needed(), "the sample"


def _reviewed(config: Config, run: Run, dialogues: list[Dialogue]) -> tuple[list[Dialogue], dict[str, float]]:
    decisions = read_patch(Path(config.patch))
    after, unfit = applied(dialogues, decisions)
    jsonl.write(run.dir / "reviewed.jsonl", after)
    for each in unfit:
        print(each)
    counts = Counter(decision.action for decision in decisions)
    found = {f"patch/{action}": float(count) for action, count in sorted(counts.items())}
    return after, found | {"patch/unfit": float(len(unfit))}


def _findings(config: Config) -> list[dict[str, Any]]:
    if not config.findings:
        return []
    try:
        lines = Path(config.findings).read_text(encoding="utf-8").splitlines()
        found = [json.loads(line) for line in lines if line.strip()]
        return [{key: each[key] for key in ("dialogue", "turn", "cause", "fix")} for each in found]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise RequestError(
            f"{config.findings} is not a findings.jsonl of dialogue.translate ({error!r})"
        ) from error
