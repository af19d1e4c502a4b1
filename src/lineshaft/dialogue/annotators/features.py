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
KEY, FACT, FINAL = (np.uint32(number) for number in (0x9E3779B1, 0x85EBCA6B, 0xC2B2AE35))


@lru_cache(maxsize=1 << 18)
def code(text: str) -> int:
    """A 32-bit number for a key or a fact, the same in every process."""
    return crc32(text.encode())


def codes(texts: Iterable[str]) -> np.ndarray:
    """uint32 [n], sorted and without repeats, so that no order of a set reaches the model."""
    return np.array(sorted({code(text) for text in texts}), np.uint32)


def cross(keys: np.ndarray, facts: np.ndarray) -> np.ndarray:
    """int32 [len(keys) * len(facts)]: the bucket of each pair."""
    mixed = (keys[:, None] * KEY) ^ (facts[None, :] * FACT)
    mixed ^= mixed >> np.uint32(15)
    return ((mixed * FINAL) >> np.uint32(32 - BITS)).astype(np.int32).ravel()


def matrix(rows: Sequence[np.ndarray]) -> csr_matrix:
    """float32 [len(rows), BUCKETS] with a 1 for each bucket of a row."""
    ends = np.cumsum([0, *(len(row) for row in rows)])
    columns = np.concatenate(rows) if rows else np.zeros(0, np.int32)
    return csr_matrix((np.ones(len(columns), np.float32), columns, ends), shape=(len(rows), BUCKETS))
