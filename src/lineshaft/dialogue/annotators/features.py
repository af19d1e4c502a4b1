"""Hashed features: every fact of a candidate, alone and joined with what the candidate is.

A candidate is described by facts (the words of the turn, those around the mention, what the agent asked) and
identified by keys (its slot, its source, its act). Its features are all pairs key x fact, hashed to 20 bits:
what "near the centre" says about a hotel's area is learnt apart from what it says in general.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from zlib import crc32

import numpy as np
from scipy.sparse import csr_matrix

BITS = 20
BUCKETS = 1 << BITS
KEYS = 5
KEY, FACT, FINAL = (np.uint32(number) for number in (0x9E3779B1, 0x85EBCA6B, 0xC2B2AE35))


@lru_cache(maxsize=1 << 18)
def code(text: str) -> int:
    """A 32-bit number for a key or a fact, the same in every process."""
    return crc32(text.encode("utf-8", "surrogatepass"))


def codes(texts: Iterable[str]) -> np.ndarray:
    """uint32 [n], sorted and without repeats, so that no order of a set reaches the model."""
    return np.array(sorted({code(text) for text in texts}), np.uint32)


def crossed(keys: np.ndarray, facts: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Buckets (int32, one after the other) of many candidates, and where each begins (int64 [n + 1]).

    keys: uint32 [n, KEYS]; facts: uint32 arrays, those of one candidate each.
    """
    sizes = np.array([len(each) for each in facts], np.int64)
    every = np.concatenate(facts) if facts else np.zeros(0, np.uint32)
    mixed = np.repeat(keys * KEY, sizes, axis=0) ^ (every * FACT)[:, None]
    mixed ^= mixed >> np.uint32(15)
    buckets = ((mixed * FINAL) >> np.uint32(32 - BITS)).astype(np.int32).ravel()
    return buckets, np.cumsum([0, *(KEYS * sizes)])


def matrix(buckets: np.ndarray, starts: np.ndarray) -> csr_matrix:
    """float32 [candidates, BUCKETS] with a 1 for each bucket of a candidate."""
    return csr_matrix((np.ones(len(buckets), np.float32), buckets, starts), shape=(len(starts) - 1, BUCKETS))
