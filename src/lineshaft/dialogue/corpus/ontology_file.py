"""An ontology of one's own as a JSON file, and dialogues checked against it.

    {"hotel": {"area": {"values": {"north": ["uptown"], "centre": ["downtown", "city centre"]}},
               "parking": {"values": ["yes", "no"], "closed": true},
               "facilities": {"values": ["pool", "spa"], "several": true},
               "name": ["Hilton", "Grand Hotel"]}}

A slot gives its values, with other ways to say them where there are some; a bare list is short for
{"values": ..}. `closed`: users express the values in words of their own, so they are always considered.
`several`: the slot may hold more than one value.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lineshaft.dialogue.corpus.dialogue import Slot
from lineshaft.dialogue.corpus.faults import Reading
from lineshaft.dialogue.corpus.ontology import Ontology, surfaces
from lineshaft.dialogue.corpus.text import plain
from lineshaft.engine import RequestError
from lineshaft.engine.errors import nearest

KEYS = frozenset(("values", "closed", "several"))
SILENT = frozenset(("yes", "no", "true", "false", "是", "否", "有", "没有"))


def read_ontology(path: Path) -> Ontology:
    """The ontology of a file."""
    try:
        found: Any = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise RequestError(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(found, dict) or not all(isinstance(slots, dict) for slots in found.values()):
        raise RequestError(f"{path} must map domains to slots to values (docs/dialogue.md)")
    entries, closed, several, written = [], {}, set(), {}
    for domain, slots in found.items():
        for name, content in slots.items():
            slot = Slot(domain, name)
            values = _values(path, slot, content)
            entries += [(slot, value, others) for value, others in values.items()]
            written.update({(slot, plain(value)): value for value in values})
            if isinstance(content, dict) and content.get("closed"):
                closed[slot] = tuple(plain(value) for value in values)
            if isinstance(content, dict) and content.get("several"):
                several.add(slot)
    return Ontology(surfaces(entries), closed, SILENT, False, frozenset(several), written)


def check(reading: Reading, ontology: Ontology) -> None:
    """Note domains, slots and values of the states that the ontology does not know, each once."""
    domains = set(ontology.domains)
    slots = {
        slot.domain: {s.name for s in ontology.surfaces if s.domain == slot.domain}
        for slot in ontology.surfaces
    }
    told: set[object] = set()

    def note(key: object, cause: str, dialogue: str, turn: int) -> None:
        if key not in told:
            told.add(key)
            reading.fault(0, f"turn {turn}: {cause}", dialogue, turn, dropped=False)

    for dialogue in reading.dialogues:
        for number, turn in enumerate(dialogue.turns):
            for slot, value in (turn.state or {}).items():
                if slot.domain not in domains:
                    cause = f"unknown domain {slot.domain!r}{nearest(slot.domain, domains)}"
                    note(slot.domain, cause, dialogue.id, number)
                elif slot.name not in slots[slot.domain]:
                    cause = f"unknown slot {slot}{nearest(slot.name, slots[slot.domain])}"
                    note(slot, cause, dialogue.id, number)
                else:
                    known = ontology.values[slot] | {"dontcare"}
                    for name in value.values:
                        if (meant := ontology.canonical(slot, name)) not in known:
                            cause = f"{slot}: unknown value {name!r}{nearest(meant, known)}"
                            note((slot, meant), cause, dialogue.id, number)


def _values(path: Path, slot: Slot, content: Any) -> dict[str, list[str]]:
    if isinstance(content, dict) and content.keys() - KEYS:
        key = min(content.keys() - KEYS)
        raise RequestError(f"{path}: {slot}: unknown key {key!r}{nearest(key, KEYS)}")
    values = content.get("values") if isinstance(content, dict) else content
    if isinstance(values, list):
        values = {value: [] for value in values}
    if not isinstance(values, dict) or not all(isinstance(value, str) and value for value in values):
        raise RequestError(f"{path}: {slot} needs `values`: a list of texts, or texts with their synonyms")
    for value, others in values.items():
        if not isinstance(others, list) or not all(isinstance(other, str) for other in others):
            raise RequestError(f"{path}: {slot}: the synonyms of {value!r} must be a list of texts")
    return values
