"""What an annotator said of target turns, and how far each decision is to be believed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lineshaft.dialogue.annotators.rows import Example


@dataclass(frozen=True)
class Annotations:
    """Annotated turns.

    Per turn: the example, its dialogue's index in the target, the annotator's confidence (log), the
    classifier's chance that it is wrong and that of both stacked, whether it changes the state, whether gold
    agrees (read by bounds alone). Per candidate: its turn (`owner`), whether the change was made (`chosen`),
    and the chance that this decision is right (`agreement`).
    """

    examples: list[Example]
    dialogue: np.ndarray
    confidence: np.ndarray
    wrong: np.ndarray
    stacked: np.ndarray
    changes: np.ndarray
    owner: np.ndarray
    chosen: np.ndarray
    agreement: np.ndarray
    right: np.ndarray

    def take(self, turns: np.ndarray) -> Annotations:
        """Those of some turns, given in order."""
        place = np.full(len(self.examples), -1)
        place[turns] = np.arange(len(turns))
        inside = place[self.owner] >= 0
        return Annotations(
            [self.examples[i] for i in turns],
            self.dialogue[turns],
            self.confidence[turns],
            self.wrong[turns],
            self.stacked[turns],
            self.changes[turns],
            place[self.owner[inside]],
            self.chosen[inside],
            self.agreement[inside],
            self.right[turns],
        )
