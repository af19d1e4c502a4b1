"""How a candidate stands against the others of its turn, its slot and its words."""

from __future__ import annotations

import numpy as np

ALONE = -9.0
"""The log odds of the best rival where there is none."""


def competition(score: np.ndarray, owner: np.ndarray, slot: np.ndarray, span: np.ndarray) -> np.ndarray:
    """float32 [n, 9]: for each candidate its log odds, its rank in the turn, its distance to the
    turn's best, the best rival of the turn, the number of candidates, and the best rival and number for its
    slot and its words.

    owner, slot, span: int [n], as in `rows.Batch`.
    """
    turn_rival, turn_count = rivals(score, owner)
    best = np.maximum(score, turn_rival)
    slot_rival, slot_count = rivals(score, _pairs(owner, slot))
    span_rival, span_count = rivals(score, np.where(span < 0, -1 - np.arange(len(span)), span))
    columns = (
        *(score, _ranks(score, owner), score - best, turn_rival, turn_count),
        *(slot_rival, slot_count, span_rival, np.where(span < 0, 0, span_count)),
    )
    return np.stack(columns, 1).astype(np.float32) if len(score) else np.zeros((0, 9), np.float32)


def rivals(score: np.ndarray, group: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """float [n], int [n]: the best score of the others of a candidate's group (ALONE if none), and the
    group's size."""
    if not len(score):
        return np.zeros(0), np.zeros(0, int)
    _, group = np.unique(group, return_inverse=True)
    order = np.lexsort((-score, group))
    first = np.flatnonzero(np.diff(group[order], prepend=-1))
    size = np.bincount(group)
    top = score[order[first]]
    second = np.full(len(first), ALONE)
    several = size > 1
    second[several] = score[order[first[several] + 1]]
    leads = np.zeros(len(score), bool)
    leads[order[first]] = True
    return np.where(leads, second[group], top[group]), size[group]


def _ranks(score: np.ndarray, owner: np.ndarray) -> np.ndarray:
    order = np.lexsort((-score, owner))
    counts = np.bincount(owner) if len(owner) else np.zeros(0, int)
    ranks = np.empty(len(score), int)
    ranks[order] = np.arange(len(score)) - np.repeat(np.cumsum(counts) - counts, counts)
    return ranks


def _pairs(owner: np.ndarray, slot: np.ndarray) -> np.ndarray:
    return np.asarray(owner * (slot.max(initial=0) + 2) + slot)
