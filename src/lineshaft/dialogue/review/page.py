"""The review page: one file that any browser opens, no server, no request."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lineshaft.dialogue.corpus.dialogue import Dialogue, Turn
from lineshaft.dialogue.corpus.record import dialogue_record, state_record
from lineshaft.dialogue.corpus.state import diff

TEMPLATE = Path(__file__).with_name("page.html")
HISTORY = 2
"""Turns before the reviewed one that are shown with it."""


def page(dialogues: Sequence[Dialogue], findings: Iterable[Mapping[str, Any]] = (), title: str = "") -> str:
    """The page for annotated dialogues; findings are those of `dialogue.translate`."""
    causes: dict[tuple[str, int], list[str]] = defaultdict(list)
    for finding in findings:
        causes[finding["dialogue"], finding["turn"]].append(f"{finding['cause']}: {finding['fix']}")
    items = [
        _item(dialogue, number, causes[dialogue.id, number])
        for dialogue in dialogues
        for number, turn in enumerate(dialogue.turns)
        if turn.state is not None
    ]
    items.sort(key=lambda item: (not item["findings"], item["score"], item["dialogue"], item["turn"]))
    data = json.dumps(items, ensure_ascii=False, separators=(",", ":"))
    safe = data.replace("&", "\\u0026").replace("<", "\\u003c").replace("\u2028", "\\u2028")
    name = json.dumps(title).replace("<", "\\u003c")
    return TEMPLATE.read_text(encoding="utf-8").replace("/*ITEMS*/[]", safe).replace('/*TITLE*/""', name)


def _item(dialogue: Dialogue, number: int, causes: list[str]) -> dict[str, Any]:
    """One turn as the page shows it; the least sure slot decides where no turn score is given."""
    turn = dialogue.turns[number]
    state = turn.state or {}
    confidence = [
        [slot.domain, slot.name, round(float(chance), 3)] for slot, chance in sorted(turn.confidence.items())
    ]
    before = dialogue.turns[number - 1].state if number else {}
    update = diff(before or {}, state)
    return {
        "dialogue": dialogue.id,
        "turn": number,
        "user": turn.user,
        "original": turn.original,
        "acts": _acts(turn),
        "agent": turn.agent,
        "history": [_said(each) for each in dialogue.turns[max(0, number - HISTORY) : number]],
        "state": state_record(state),
        "changed": [[slot.domain, slot.name] for slot in sorted(update.assigned)],
        "dropped": [str(slot) for slot in sorted(update.removed)],
        "confidence": confidence,
        "score": _score(turn, confidence),
        "findings": causes,
    }


def _score(turn: Turn, confidence: list[list[Any]]) -> float:
    if turn.score is not None:
        return round(turn.score, 4)
    return min((chance for *_, chance in confidence), default=1.0)


def _said(turn: Turn) -> list[str | None]:
    return [turn.agent or " ; ".join(_acts(turn)) or None, turn.user]


def _acts(turn: Turn) -> list[str]:
    found = dialogue_record(Dialogue("", (turn,)))["turns"][0].get("acts", [])
    return [" ".join(map(str, act)) for act in found]
