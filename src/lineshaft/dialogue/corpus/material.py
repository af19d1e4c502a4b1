"""All that one round of the loop needs, and which of it may be learnt from."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from lineshaft.dialogue.corpus.dialogue import Dialogue


@dataclass(frozen=True)
class Fold:
    """Indices of target dialogues whose gold is hidden from training, and of those systems are tested on."""

    unlabelled: tuple[int, ...]
    test: tuple[int, ...]


@dataclass(frozen=True)
class Material:
    """`source` is labelled and translated into the target language, `target` is natural text (gold kept for
    the bounds and the test), `validation` is labelled, disjoint from both: thresholds are tuned on it, and
    few-shot systems learn from it. No dialogue is in `unlabelled` and `test` of the same fold.
    """

    name: str
    source: list[Dialogue]
    target: list[Dialogue]
    validation: list[Dialogue]
    folds: list[Fold] = field(default_factory=list)

    def tested(self) -> list[int]:
        """Indices of the dialogues that some fold tests, in order; each is tested by one fold."""
        return sorted(index for fold in self.folds for index in fold.test)


def deal(dialogues: int, seed: int, folds: int = 3) -> list[Fold]:
    """Dialogues dealt into folds: each is tested by one and unlabelled in the others."""
    dealt = np.random.default_rng(seed).permutation(dialogues)
    parts = [sorted(map(int, dealt[fold::folds])) for fold in range(folds)]
    everything = set(range(dialogues))
    return [Fold(tuple(sorted(everything - set(part))), tuple(part)) for part in parts]
