"""Texts to vectors: a language encoder, or the words themselves."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from lineshaft.engine import Part
from lineshaft.recommend.text import minilm
from lineshaft.recommend.text.cache import kept

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


class Encoder(Part):
    """Parameters of a map from texts to vectors."""

    @abstractmethod
    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """(texts, width) float32, centred; rows of empty texts are zero."""


class Minilm(Encoder):
    """all-MiniLM-L6-v2, frozen, rotated to its principal axes; English."""

    name: Literal["minilm"] = "minilm"
    longest: int = Field(96, ge=4, le=512, description="tokens of a text that are read; the rest is cut")

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        return _centred(minilm.encode(texts, self.longest), texts)


class Words(Encoder):
    """TF-IDF of the words, reduced by a truncated singular value decomposition; any language with spaces."""

    name: Literal["words"] = "words"
    width: int = Field(192, ge=2, description="numbers kept of each text")

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        return _centred(kept(texts, f"words {self.width}", lambda: self._reduced(texts)), texts)

    def _reduced(self, texts: Sequence[str]) -> np.ndarray:
        from sklearn.decomposition import TruncatedSVD

        counts = tfidf(texts)
        width = min(self.width, min(counts.shape) - 1)
        if width < 1:
            return np.zeros((len(texts), 1), np.float32)
        found = TruncatedSVD(width, random_state=0, n_iter=4).fit_transform(counts)
        return np.asarray(found, np.float32)


def tfidf(texts: Sequence[str]) -> "csr_matrix":
    """CSR (texts, words) of rows of length one: words of two texts or more, English stop words left out."""
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import TfidfVectorizer

    try:
        found = TfidfVectorizer(sublinear_tf=True, min_df=2, stop_words="english").fit_transform(texts)
    except ValueError:  # no word stands in two texts
        return csr_matrix((len(texts), 1), dtype=np.float32)
    return csr_matrix(found, dtype=np.float32)


def _centred(vectors: np.ndarray, texts: Sequence[str]) -> np.ndarray:
    """Mean over the texts that are none empty taken off; empty ones at zero, which says nothing."""
    filled = np.array([bool(text) for text in texts])
    found = vectors - vectors[filled].mean(0) if filled.any() else vectors * 0
    found[~filled] = 0
    return found
