"""How well wrong annotations are found: rankings of annotated turns, and how good a ranking is.

A ranking gives every turn a number that is higher the more the turn is doubted. AUROC is the chance that a
wrong turn is doubted more than a right one, .5 for guessing; average precision is the mean precision down
the ranking, the share of wrong turns for guessing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.stats import rankdata

from lineshaft.dialogue.annotators.rows import Example, batch, made
from lineshaft.dialogue.annotators.tracker import Tracker
from lineshaft.dialogue.errors.evidence import COUNTS, confidence, evidence

RESAMPLES = 400


def auroc(wrong: np.ndarray, doubt: np.ndarray) -> float:
    """wrong: bool [turns]; doubt: float [turns]; .5 where all turns are alike."""
    positive = int(wrong.sum())
    negative = len(wrong) - positive
    if not positive or not negative:
        return 0.5
    ranks = rankdata(doubt)
    return float((ranks[wrong].sum() - positive * (positive + 1) / 2) / (positive * negative))


def average_precision(wrong: np.ndarray, doubt: np.ndarray) -> float:
    """Mean precision at each wrong turn, most doubted first; equals are taken in the middle of their rank."""
    if not wrong.any():
        return 0.0
    order = np.lexsort((np.arange(len(doubt)), -doubt))
    _, start = np.unique(-doubt[order], return_index=True)
    ends = np.append(start[1:], len(doubt))
    hits = np.cumsum(wrong[order])
    precision = hits[ends - 1] / ends
    gained = np.diff(np.append(0, hits[ends - 1]))
    return float((precision * gained).sum() / wrong.sum())


def trivial(features: np.ndarray, found: Sequence[Example]) -> dict[str, np.ndarray]:
    """Rankings that need no model: counts of `evidence`."""
    names = ("changes", "drops", "candidates", "words", "turn", "uncovered", "state", "unused", "unused_acts")
    return dict(zip(names, features[:, :COUNTS].T))


def cleanlab(model: Tracker, found: Sequence[Example]) -> np.ndarray:
    """Doubt by confident learning (Northcutt et al. 2021): each decision on a candidate is a label, its
    quality is adjusted for how sure the model is of its class; a turn is as good as its worst decision."""
    from cleanlab.rank import get_label_quality_scores

    trainer = model.trainer
    scenes = [e.looking_ahead if trainer.hindsight and e.looking_ahead else e.scene for e in found]
    one = batch(trainer.proposer, trainer.slots, list(zip(scenes, (e.previous for e in found))))
    chance = np.clip(model.chances(one, scenes), 1e-6, 1 - 1e-6)
    label = np.array(
        [made(trainer.proposer, c, found[i].update) for c, i in zip(one.candidates, one.owner)], int
    )
    worst = np.ones(len(found))
    if len(label):
        both = len(set(label.tolist())) > 1
        chances = np.stack([1 - chance, chance], 1)
        quality = get_label_quality_scores(label, chances, method="normalized_margin", adjust_pred_probs=both)
        np.minimum.at(worst, one.owner, quality)
    return -worst


def rankings(
    models: Sequence[Tracker], found: Sequence[Example], detectors: dict[str, Callable[..., np.ndarray]]
) -> dict[str, np.ndarray]:
    """Every ranking of annotated turns: classifiers, confidence, cleanlab and the trivial ones."""
    features = evidence(models, found)
    ranked = {name: detector(models, found) for name, detector in detectors.items()}
    ranked |= {"confidence": -confidence(models, found), "cleanlab": cleanlab(models[-1], found)}
    return ranked | {f"rule_{name}": doubt for name, doubt in trivial(features, found).items()}


def difference(
    wrong: np.ndarray, first: np.ndarray, second: np.ndarray | None, dialogue: np.ndarray, seed: int = 0
) -> tuple[float, float, float]:
    """AUROC of `first` (less that of `second`), with its 95 % interval over resampled dialogues.

    wrong, first, second: [seeds, turns], dialogue: int [turns]. Each seed is resampled alike; their mean is
    taken, and seeds are drawn too.
    """
    rng = np.random.default_rng(seed)
    members = [np.flatnonzero(dialogue == number) for number in np.unique(dialogue)]

    def one(i: int, turns: np.ndarray) -> float:
        value = auroc(wrong[i][turns], first[i][turns])
        return value if second is None else value - auroc(wrong[i][turns], second[i][turns])

    seeds, everything = len(wrong), np.arange(len(dialogue))
    drawn = []
    for _ in range(RESAMPLES):
        turns = np.concatenate([members[k] for k in rng.integers(0, len(members), len(members))])
        drawn.append(np.mean([one(i, turns) for i in rng.integers(0, seeds, seeds)]))
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(np.mean([one(i, everything) for i in range(seeds)])), float(low), float(high)
