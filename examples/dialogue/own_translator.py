"""A translator of one's own: `lineshaft run examples/dialogue/own_translator.py source=FILE`.

Here word by word from a dictionary of a few words; it may call any service or model instead.
"""

from collections.abc import Sequence
from typing import Literal

from lineshaft.dialogue.experiments import translate
from lineshaft.dialogue.experiments.translate import run
from lineshaft.engine import Part

__all__ = ["Config", "run"]
WORDS = {"albergo": "hotel", "nord": "north", "centro": "centre", "un": "a", "nel": "in the"}


class ByWord(Part):
    """Words that are known, others as they are."""

    name: Literal["by-word"] = "by-word"

    def translate(self, texts: Sequence[str]) -> list[str]:
        return [" ".join(WORDS.get(word, word) for word in text.lower().split()) for text in texts]


class Config(translate.Config):
    """dialogue.translate by words."""

    translator: ByWord = ByWord()
