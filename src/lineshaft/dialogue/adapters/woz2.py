"""WOZ 2.0 (Mrksic et al., ACL 2017) from Italian to English: restaurants, three slots.

Source: Italian training dialogues 0-299, user turns translated by Apertium (it-es-en). Target: the English
training dialogues 300-599, unlabelled, and the English test dialogues. Validation: the English validation
dialogues. Halves do not overlap, since Italian and English dialogues of one number are translations of each
other.
"""

from __future__ import annotations

from pathlib import Path

from lineshaft.dialogue.adapters.files import read_json
from lineshaft.dialogue.corpus import Act, Dialogue, Fold, Material, Slot, State, Turn, Value
from lineshaft.dialogue.schema import Ontology, surfaces
from lineshaft.engine import RequestError

DOMAIN = "restaurant"
HALF = 300
INDIFFERENT = "dontcare"


def load(folder: Path, seed: int) -> tuple[Material, Ontology]:
    """The corpus in its published splits; `seed` changes nothing here."""
    texts = read_json(folder / "mt_apertium_it_en.json.xz")["en"]
    source = _dialogues(folder / "woz_train_it_en.json.xz", texts)[:HALF]
    unlabelled = _dialogues(folder / "woz_train_en.json.xz")[HALF:]
    test = _dialogues(folder / "woz_test_en.json.xz")
    fold = Fold(tuple(range(len(unlabelled))), tuple(range(len(unlabelled), len(unlabelled) + len(test))))
    validation = _dialogues(folder / "woz_validate_en.json.xz")
    material = Material("woz2", source, unlabelled + test, validation, [fold])
    return material, ontology(read_json(folder / "ontology_dstc2_en.json"))


def ontology(published: dict) -> Ontology:
    """Values by their own names; area and price are closed, and a user may not care about any slot."""
    values = {_slot(name): names for name, names in published["informable"].items() if name != "request"}
    entries = [(slot, value, ()) for slot, names in values.items() for value in names]
    closed = {
        slot: (*names, INDIFFERENT) if len(names) < 10 else (INDIFFERENT,) for slot, names in values.items()
    }
    return Ontology(surfaces(entries), closed, verbatim=False)


def _dialogues(path: Path, texts: list[str] | None = None) -> list[Dialogue]:
    """Dialogues of a file; `texts` replaces the user turns, in order (the list may go on to another file)."""
    records = read_json(path)
    lines = iter(texts) if texts is not None else None
    try:
        return [_dialogue(record, lines) for record in records]
    except (KeyError, TypeError, StopIteration, RuntimeError) as error:
        raise RequestError(
            f"{path}: not in the format of WOZ 2.0, or too few translations ({error!r})"
        ) from error


def _dialogue(record: dict, lines: object) -> Dialogue:
    turns = []
    for turn in record["dialogue"]:
        user = turn["transcript"] if lines is None else next(lines)  # type: ignore[call-overload]
        acts = tuple(_act(act) for act in turn["system_acts"])
        turns.append(Turn(user, _state(turn["belief_state"]), acts, "gold" if lines is None else "projected"))
    return Dialogue(str(record["dialogue_idx"]), tuple(turns))


def _state(beliefs: list[dict]) -> State:
    informed = (pair for belief in beliefs if belief["act"] == "inform" for pair in belief["slots"])
    return {_slot(name): Value((value,)) for name, value in informed}


def _act(act: str | list[str]) -> Act:
    """The files write a request as a name and a confirmation as a pair."""
    if isinstance(act, str):
        return Act(DOMAIN, "request", _slot(act).name)
    return Act(DOMAIN, "confirm", _slot(act[0]).name, Value((act[1],)))


def _slot(name: str) -> Slot:
    return Slot(DOMAIN, name.replace(" ", "_"))
