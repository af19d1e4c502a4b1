"""CrossWOZ in English and MultiWOZ in Chinese (ConvLab-2; Li et al. 2021): machine translation by Google.

CrossWOZ-EN: 750 machine-translated dialogues are the source, 250 that translators corrected the target. It is
a negative control: training on gold of the target gains nothing either, so a tool must say that nothing is to
be gained. MultiWOZ, English to Chinese: machine-translated validation dialogues whose numbers are not among
the 250 corrected ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from lineshaft.dialogue import data
from lineshaft.dialogue.corpus.dialogue import Dialogue
from lineshaft.dialogue.corpus.material import Material, deal
from lineshaft.dialogue.corpus.ontology import Ontology, observed
from lineshaft.dialogue.corpus.read import read
from lineshaft.engine import Part, Run

VALIDATION = 50
"""Corrected dialogues that thresholds are tuned on; the others are dealt into folds."""


class Crosswoz(Part):
    """CrossWOZ, Chinese to English by Google, 5 domains: the negative control."""

    name: Literal["crosswoz"] = "crosswoz"

    def load(self, run: Run, seed: int) -> tuple[Material, Ontology]:
        return crosswoz(run.data(data.CROSSWOZ), seed)


class Multiwoz(Part):
    """MultiWOZ 2.1, English to Chinese by Google, 7 domains."""

    name: Literal["multiwoz"] = "multiwoz"

    def load(self, run: Run, seed: int) -> tuple[Material, Ontology]:
        return multiwoz(run.data(data.MULTIWOZ), seed)


def crosswoz(folder: Path, seed: int) -> tuple[Material, Ontology]:
    """Source: validation without the corrected dialogues, and test."""
    human = read(folder / "crosswoz_en_human_val.json.zip", "en").needed()
    files = ("crosswoz_en_val.json.zip", "crosswoz_en_test.json.zip")
    machine = [dialogue for name in files for dialogue in read(folder / name, "en").needed()]
    return _material("crosswoz", machine, human, seed)


def multiwoz(folder: Path, seed: int) -> tuple[Material, Ontology]:
    """Source: validation without the corrected dialogues; the test dialogues would double the time."""
    human = read(folder / "multiwoz_zh_human_val.json.zip", "zh").needed()
    machine = read(folder / "multiwoz_zh_val.json.zip", "zh").needed()
    return _material("multiwoz", machine, human, seed)


def _material(
    name: str, machine: Sequence[Dialogue], human: Sequence[Dialogue], seed: int
) -> tuple[Material, Ontology]:
    """The inventory of values is what source and validation show: it holds nothing of the target."""
    corrected = {dialogue.id for dialogue in human}
    source = [dialogue for dialogue in machine if dialogue.id not in corrected]
    order = np.random.default_rng(7).permutation(len(human))
    validation = [human[i] for i in sorted(order[:VALIDATION])]
    target = [human[i] for i in sorted(order[VALIDATION:])]
    material = Material(name, source, target, validation, deal(len(target), seed))
    return material, observed([*source, *validation])
