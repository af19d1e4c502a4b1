"""X-RiSAWOZ for development: design is chosen here, so that test dialogues are looked at once.

The Chinese validation dialogues were translated by machine (`mt`) and by people (`valid/dst_en`). One half of
them is the source, by machine; the other half is the target, by people: no dialogue is on both sides. An even
seed takes the first half as the source, an odd one the second; the seed also deals the target into folds.
Against the real task the source is half as large and its topics are those of the target.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np

from lineshaft.dialogue import data
from lineshaft.dialogue.corpora import xrisawoz
from lineshaft.dialogue.corpus.material import Material, deal
from lineshaft.dialogue.corpus.ontology import Ontology
from lineshaft.dialogue.corpus.read import read
from lineshaft.engine import Part, RequestError, Run


class XrisawozDev(Part):
    """X-RiSAWOZ, Chinese to English, on its validation dialogues: for choosing a design."""

    name: Literal["xrisawoz-dev"] = "xrisawoz-dev"

    def load(self, run: Run, seed: int) -> tuple[Material, Ontology]:
        return load(run.data(data.XRISAWOZ), run.data(data.XRISAWOZ_DEV), seed)


def load(folder: Path, more: Path, seed: int) -> tuple[Material, Ontology]:
    """Half of the validation dialogues by machine as the source, the other half by people as the target."""
    whole, ontology = xrisawoz.load(folder, seed)
    human = read(more / "valid/dst_en.json.xz", "en").needed()
    if [len(each.turns) for each in human] != [len(each.turns) for each in whole.source]:
        raise RequestError("valid/dst_en.json.xz is not the translation of valid/dst_zh.json.xz")
    halves = np.array_split(np.random.default_rng(11).permutation(len(human)), 2)
    source, target = halves if seed % 2 == 0 else halves[::-1]
    material = Material(
        "xrisawoz-dev",
        [whole.source[i] for i in sorted(source)],
        [human[i] for i in sorted(target)],
        whole.validation,
        deal(len(target), seed),
    )
    return material, ontology
