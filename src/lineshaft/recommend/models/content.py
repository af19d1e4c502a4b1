"""Items whose texts are like the basket's: cosine, item by item, raised to a power.

    score_j = mean over i in the basket of max(0, cos(t_i, t_j))^power

With power 1 (and no cut at zero) this is the cosine to the basket's mean; a higher power listens to the one
item that is really close. It learns nothing from users, and so knows items that nobody has rated.
"""

from typing import ClassVar, Literal

import numpy as np
import torch
from pydantic import Field
from scipy.sparse import csr_matrix

from lineshaft.recommend.catalogue.catalogue import Catalogue
from lineshaft.recommend.models.l3ae import AnyEncoder
from lineshaft.recommend.models.model import Model, Scorer, State, counts
from lineshaft.recommend.text.encoders import Minilm

BLOCK = 1024
"""Items of the baskets whose cosines to all others are held at a time."""


class Content(Model):
    """Similar texts."""

    name: Literal["content"] = "content"
    needs: ClassVar[str] = "text"
    draws: ClassVar[bool] = False
    encoder: AnyEncoder = Field(Minilm(), description="what texts are turned into")
    power: float = Field(1.0, ge=1, description="1: like the basket as a whole; more: like one of its items")

    def fit(self, likes: csr_matrix, catalogue: Catalogue, *, seed: int, threads: int) -> Scorer:
        self.check(likes, catalogue)
        vectors = self.encoder.encode(catalogue.sentences())
        length = np.linalg.norm(vectors, axis=1, keepdims=True)
        unit = (vectors / np.where(length > 0, length, 1)).astype(np.float32)
        return Similar(catalogue, counts(likes), unit, self.power)


class Similar(Scorer):
    """vectors (items, width) of length one, or zero where an item has no text."""

    def __init__(self, catalogue: Catalogue, likes: np.ndarray, vectors: np.ndarray, power: float) -> None:
        super().__init__(catalogue, likes)
        self.vectors, self.power = vectors, power

    def affinity(self, baskets: csr_matrix) -> np.ndarray:
        size = np.diff(baskets.indptr)
        shares = csr_matrix(baskets, copy=True, dtype=np.float32)
        shares.data /= np.repeat(np.maximum(size, 1), size)
        if self.power == 1:
            return np.asarray((shares @ self.vectors) @ self.vectors.T, np.float32)
        shown, found = np.unique(baskets.indices), np.zeros(baskets.shape, np.float32)
        for start in range(0, len(shown), BLOCK):
            some = shown[start : start + BLOCK]
            close = torch.from_numpy(self.vectors[some] @ self.vectors.T).clamp_(min=0).pow_(self.power)
            found += shares[:, some] @ close.numpy()
        return found

    def contributions(self, basket: np.ndarray, items: np.ndarray) -> np.ndarray:
        close = self.vectors[basket] @ self.vectors[items].T
        powered = close if self.power == 1 else np.maximum(close, 0) ** self.power
        return np.asarray(powered / max(1, len(basket)))

    def state(self) -> State:
        return State({"power": self.power}, {"vectors": self.vectors}, {})

    @classmethod
    def from_state(cls, catalogue: Catalogue, likes: np.ndarray, state: State) -> "Similar":
        return cls(catalogue, likes, state.arrays["vectors"], state.values["power"])
