"""WOZ 2.0 (Mrksic et al., ACL 2017) from Italian to English: restaurants, three slots.

Source: Italian training dialogues 0-299, user turns translated by Apertium (it-es-en). Target: the English
training dialogues 300-599, unlabelled, and the English test dialogues. Validation: the English validation
dialogues. Halves do not overlap, since Italian and English dialogues of one number are translations of each
other.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from lineshaft.dialogue import data
from lineshaft.dialogue.corpus.dialogue import Dialogue
from lineshaft.dialogue.corpus.files import read_json
from lineshaft.dialogue.corpus.material import Fold, Material
from lineshaft.dialogue.corpus.ontology import INDIFFERENT, Ontology, surfaces
from lineshaft.dialogue.corpus.read import read
from lineshaft.dialogue.corpus.readers.subtask import project
from lineshaft.dialogue.corpus.readers.woz import slot
from lineshaft.engine import Part, RequestError, Run

HALF = 300


class Woz2(Part):
    """WOZ 2.0, Italian to English: restaurants, in the published splits."""

    name: Literal["woz2"] = "woz2"

    def load(self, run: Run, seed: int) -> tuple[Material, Ontology]:
        return load(run.data(data.WOZ2), seed)


def load(folder: Path, seed: int) -> tuple[Material, Ontology]:
    """The corpus in its published splits; `seed` changes nothing here."""
    texts = read_json(folder / "mt_apertium_it_en.json.xz")["en"]
    source = translated(_dialogues(folder / "woz_train_it_en.json.xz"), texts)[:HALF]
    unlabelled = _dialogues(folder / "woz_train_en.json.xz")[HALF:]
    test = _dialogues(folder / "woz_test_en.json.xz")
    fold = Fold(tuple(range(len(unlabelled))), tuple(range(len(unlabelled), len(unlabelled) + len(test))))
    validation = _dialogues(folder / "woz_validate_en.json.xz")
    material = Material("woz2", source, unlabelled + test, validation, [fold])
    return material, ontology(read_json(folder / "ontology_dstc2_en.json"))


def ontology(published: dict[str, Any]) -> Ontology:
    """Values by their own names; area and price are closed, and a user may not care about any slot."""
    values = {slot(name): names for name, names in published["informable"].items() if name != "request"}
    entries = [(key, value, ()) for key, names in values.items() for value in names]
    closed = {
        key: (*names, INDIFFERENT) if len(names) < 10 else (INDIFFERENT,) for key, names in values.items()
    }
    return Ontology(surfaces(entries), closed, verbatim=False)


def translated(dialogues: list[Dialogue], texts: list[str]) -> list[Dialogue]:
    """Dialogues with their user turns replaced, in order; the list may go on to another file."""
    if len(texts) < (needed := sum(len(dialogue.turns) for dialogue in dialogues)):
        raise RequestError(f"{len(texts)} translations for {needed} turns: fetch the file again")
    lines = iter(texts)
    return [project(each, lambda _, value: value, [next(lines) for _ in each.turns]) for each in dialogues]


def _dialogues(path: Path) -> list[Dialogue]:
    return read(path, "en").needed()
