"""Values of one language and what they are in another: by turn, by slot, or anywhere."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lineshaft.dialogue.corpus.dialogue import Act, Dialogue, Slot, Turn, Value
from lineshaft.dialogue.corpus.text import fold
from lineshaft.engine import RequestError


@dataclass
class Alignment:
    """`values` maps (slot or None, folded value) to the translation; a turn's own alignment comes first."""

    values: Mapping[tuple[Slot | None, str], str]
    unknown: Counter[tuple[Slot, str]] = field(default_factory=Counter)

    def project(self, dialogue: Dialogue) -> Dialogue:
        """The dialogue with the values of its states and acts in the other language, where this is known."""
        turns = [turn for turn in dialogue.turns if turn.original is not None or turn.alignment]
        if not turns and not self.values:
            return dialogue
        own: dict[str, str] = {}
        projected = []
        for turn in dialogue.turns:
            own |= {fold(key): value for key, value in turn.alignment.items()}
            projected.append(self._turn(turn, own))
        return replace(dialogue, turns=tuple(projected))

    def missing(self) -> list[str]:
        """What has no translation, the most frequent first: one finding for all."""
        if not self.unknown:
            return []
        shown = ", ".join(f"{slot}={value!r}" for (slot, value), _ in self.unknown.most_common(5))
        total = sum(self.unknown.values())
        return [f"{total} values ({len(self.unknown)} different) have no translation and stay: {shown}"]

    def translate(self, slot: Slot, value: str, own: Mapping[str, str]) -> str:
        """The value in the other language; an unknown one stays and is counted."""
        name = fold(value)
        found = own.get(name) or self.values.get((slot, name)) or self.values.get((None, name))
        if found is None:
            self.unknown[slot, value] += 1
        return found or value

    def _turn(self, turn: Turn, own: Mapping[str, str]) -> Turn:
        state = turn.state and {slot: self._value(slot, value, own) for slot, value in turn.state.items()}
        acts = tuple(self._act(act, own) for act in turn.acts)
        provenance = "projected" if turn.provenance == "gold" else turn.provenance
        return replace(turn, state=state, acts=acts, provenance=provenance)

    def _act(self, act: Act, own: Mapping[str, str]) -> Act:
        if not (act.slot and act.value):
            return act
        return replace(act, value=self._value(Slot(act.domain, act.slot), act.value, own))

    def _value(self, slot: Slot, value: Value, own: Mapping[str, str]) -> Value:
        names = tuple(dict.fromkeys(self.translate(slot, name, own) for name in value.values))
        return Value(names, value.relation)


def read_alignment(path: Path) -> Alignment:
    """From JSON: {"便宜": "cheap"}, or by domain and slot: {"hotel": {"price": {"便宜": "cheap"}}}."""
    try:
        found: Any = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise RequestError(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(found, dict):
        raise RequestError(f"{path} must be an object that maps values to values")
    values: dict[tuple[Slot | None, str], str] = {}
    for key, content in found.items():
        if isinstance(content, str):
            values[None, fold(key)] = content
            continue
        for name, names in _slots(path, key, content):
            for value, translation in names.items():
                if not isinstance(translation, str) or not translation.strip():
                    raise RequestError(
                        f"{path}: {key}-{name}: {value!r} has no translation ({translation!r})"
                    )
                values[Slot(key, name), fold(value)] = translation
    return Alignment(values)


def _slots(path: Path, domain: str, content: Any) -> list[tuple[str, dict[str, Any]]]:
    if not isinstance(content, dict) or not all(isinstance(names, dict) for names in content.values()):
        raise RequestError(
            f"{path}: {domain!r} must map to a translation, or slots to values to translations"
        )
    return list(content.items())
