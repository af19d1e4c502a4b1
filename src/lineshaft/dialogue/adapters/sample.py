"""The embedded corpus: dialogues in a made-up language, generated from the seed."""

from __future__ import annotations

from lineshaft.dialogue.corpus import Dialogue, Fold, Material, Slot, Turn
from lineshaft.dialogue.schema import Ontology, surfaces
from lineshaft.dialogue.state import parse, parse_acts
from lineshaft.samples import dialogues as sample

SOURCE, UNLABELLED, TEST, VALIDATION = 100, 150, 150, 50


def load(seed: int) -> tuple[Material, Ontology]:
    """Translated source and natural target dialogues."""
    translated = _read(sample.dialogues(SOURCE, seed, translated=True), "projected")
    natural = _read(sample.dialogues(UNLABELLED + TEST + VALIDATION, seed, translated=False), "gold")
    target, validation = natural[: UNLABELLED + TEST], natural[UNLABELLED + TEST :]
    fold = Fold(tuple(range(UNLABELLED)), tuple(range(UNLABELLED, len(target))))
    return Material("sample", translated, target, validation, [fold]), ontology()


def ontology() -> Ontology:
    names = surfaces((Slot(domain, slot), value, others) for domain, slot, value, others in sample.surfaces())
    closed = {Slot(*slot): values for slot, values in sample.closed().items()}
    names |= {slot: {value: value for value in values} for slot, values in closed.items()}
    return Ontology(names, closed, silent=frozenset(("yes", "no")), verbatim=False)


def _read(samples: list[sample.Sample], provenance: str) -> list[Dialogue]:
    return [
        Dialogue(
            f"{provenance}{number}",
            tuple(Turn(user, parse(state), parse_acts(acts), provenance) for user, acts, state in each.turns),  # type: ignore[arg-type]
            "made-up",
        )
        for number, each in enumerate(samples)
    ]
