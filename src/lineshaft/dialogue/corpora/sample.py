"""The embedded corpus: dialogues in a made-up language, generated from the seed."""

from __future__ import annotations

from typing import Literal

from lineshaft.dialogue import sample
from lineshaft.dialogue.corpus.dialogue import Dialogue, Provenance, Slot, Turn
from lineshaft.dialogue.corpus.material import Fold, Material
from lineshaft.dialogue.corpus.ontology import Ontology, surfaces
from lineshaft.dialogue.corpus.state import parse, parse_acts
from lineshaft.engine import Part, Run

SOURCE, UNLABELLED, TEST, VALIDATION = 80, 110, 110, 40


class Sample(Part):
    """Dialogues in a made-up language, generated from the seed."""

    name: Literal["sample"] = "sample"

    def load(self, run: Run, seed: int) -> tuple[Material, Ontology]:
        return load(seed)


def load(seed: int) -> tuple[Material, Ontology]:
    """Translated source and natural target dialogues."""
    translated = read(sample.dialogues(SOURCE, seed, translated=True), "projected")
    natural = read(sample.dialogues(UNLABELLED + TEST + VALIDATION, seed, translated=False), "gold")
    target, validation = natural[: UNLABELLED + TEST], natural[UNLABELLED + TEST :]
    fold = Fold(tuple(range(UNLABELLED)), tuple(range(UNLABELLED, len(target))))
    return Material("sample", translated, target, validation, [fold]), ontology()


def ontology() -> Ontology:
    """All values with their two words."""
    names = surfaces((Slot(domain, slot), value, others) for domain, slot, value, others in sample.surfaces())
    closed = {Slot(*slot): values for slot, values in sample.closed().items()}
    names |= {slot: {value: value for value in values} for slot, values in closed.items()}
    return Ontology(names, closed, silent=frozenset(("yes", "no")), verbatim=False)


def read(samples: list[sample.Sample], provenance: Provenance) -> list[Dialogue]:
    """Generated dialogues as the rest of the system sees them."""
    return [
        Dialogue(
            f"{provenance}{number}",
            tuple(Turn(user, parse(state), parse_acts(acts), provenance) for user, acts, state in each.turns),
            "made-up",
        )
        for number, each in enumerate(samples)
    ]
