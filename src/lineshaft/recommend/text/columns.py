"""What is known of an item as columns of numbers: its text, and its neighbours' texts one and two hops away.

    F = [Z, A Z, A^2 Z] for every encoder's Z, each block over its own deviation, rows of length one

so that an item without a text is described by the items it is linked to. Used as side information by every
closed form that predicts from content.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lineshaft.recommend.catalogue.catalogue import Catalogue
from lineshaft.recommend.text.encoders import Encoder


def columns(catalogue: Catalogue, encoders: Sequence[Encoder], hops: int = 2) -> np.ndarray:
    """(items, columns) float32 with rows of length one, or zero where nothing at all is known."""
    whole = np.concatenate([_scaled(block) for block in _blocks(catalogue, encoders, hops)], axis=1)
    return _unit(whole)


def kinds(catalogue: Catalogue, encoders: Sequence[Encoder], hops: int = 2) -> list[np.ndarray]:
    """(items, width) of every encoder and hop by itself, rows of length one or zero."""
    return [_unit(block) for block in _blocks(catalogue, encoders, hops)]


def _blocks(catalogue: Catalogue, encoders: Sequence[Encoder], hops: int) -> list[np.ndarray]:
    texts = catalogue.sentences()
    found = [encoder.encode(texts) for encoder in encoders]
    return [hop for one in found for hop in _spread(catalogue, one, hops)] if len(catalogue.edges) else found


def _unit(block: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(block, axis=1, keepdims=True)
    return (block / np.where(length > 0, length, 1)).astype(np.float32)


def rewired(catalogue: Catalogue, seed: int = 5) -> Catalogue:
    """The same graph between other items: what is left of an effect is not the graph's."""
    other = np.random.default_rng(seed).permutation(len(catalogue)).astype(np.int32)
    edges = catalogue.edges
    false = replace(edges, source=other[edges.source], target=other[edges.target])
    return replace(catalogue, edges=false)


def _spread(catalogue: Catalogue, block: np.ndarray, hops: int) -> list[np.ndarray]:
    adjacency, found = catalogue.adjacency(), [block]
    for _ in range(hops):
        found.append(adjacency @ found[-1])
    return found


def _scaled(block: np.ndarray) -> np.ndarray:
    spread = block.std()
    return block / spread if spread > 0 else block
