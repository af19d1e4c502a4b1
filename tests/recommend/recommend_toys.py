"""Toy data of known answer, and every model in a size for them."""

import numpy as np
from scipy.sparse import csr_matrix

from lineshaft.recommend.catalogue.catalogue import Catalogue, Edges
from lineshaft.recommend.models.blend import Blend, Slot
from lineshaft.recommend.models.content import Content
from lineshaft.recommend.models.deepnaninet import DeepNaniNet
from lineshaft.recommend.models.dropoutnet import DropoutNet
from lineshaft.recommend.models.ease import Ease
from lineshaft.recommend.models.graph import Graph
from lineshaft.recommend.models.knn import Knn
from lineshaft.recommend.models.l3ae import L3ae
from lineshaft.recommend.models.marec import Marec
from lineshaft.recommend.models.memoriser import Memoriser
from lineshaft.recommend.models.model import Model, Scorer
from lineshaft.recommend.models.popularity import Popularity
from lineshaft.recommend.models.prior import Prior
from lineshaft.recommend.models.trial import Guests
from lineshaft.recommend.models.wmf import Bridge, Wmf
from lineshaft.recommend.text.encoders import Words

WORDS = (Words(width=4),)
PERSONAL: list[Model] = [
    Knn(),
    Wmf(factors=4),
    Ease(lam=1),
    Ease(lam=1, rows=5),
    L3ae(lam=1, pull=1, encoders=WORDS),
    Marec(lam=1, beta=1, encoders=WORDS),
    Wmf(factors=4, bridge=Bridge(encoders=WORDS)),
]
BY_CONTENT: list[Model] = [Content(encoder=WORDS[0]), Content(encoder=WORDS[0], power=4), Graph()]
DRAWN: list[Model] = [
    DeepNaniNet(epochs=1, encoders=WORDS, teacher=L3ae(encoders=WORDS), start=Wmf(factors=4), batch=16),
    DropoutNet(epochs=1, encoders=WORDS, wmf=Wmf(factors=4), batch=16),
    Blend(
        slots=tuple(Slot(any_of=(part,)) for part in (Ease(lam=1), Graph(), Popularity())),
        trial=Guests(most=50),
    ),
]
"""Models whose draws depend on the rows of the users."""
ALL: list[Model] = [Popularity(), Prior(), Memoriser(), *PERSONAL, *BY_CONTENT, *DRAWN]
USERS, ITEMS = 12, 8


def fitted(model: Model, likes: csr_matrix, seed: int = 0) -> Scorer:
    return model.fit(likes, described(likes.shape[1]), seed=seed, threads=1)


def names(model: Model) -> str:
    return str(model.name)


def blocks() -> csr_matrix:
    """Even users like the even items, odd users the odd ones; each user misses one item of the block."""
    users, items = np.indices((USERS, ITEMS))
    likes = (users - items) % 2 == 0
    likes &= items != missing()[:, None]
    return csr_matrix(likes.astype(np.float32))


def missing() -> np.ndarray:
    """(users,) the one item of the own block that a user does not have: the right answer."""
    user = np.arange(USERS)
    return user % 2 + 2 * (user // 2 % (ITEMS // 2))


def described(items: int) -> Catalogue:
    """Even and odd items differ in their words and links; ids with spaces and umlauts."""
    kind = ["even meadow green", "odd harbour blue"]
    number = np.arange(items - 2, dtype=np.int32)
    edges = Edges(number, number + 2, np.ones(len(number), np.float32), [f"{i} to {i + 2}" for i in number])
    ids = [f"Stück {i}" for i in range(items)]
    titles, prior = [f"{kind[i % 2]} {i}" for i in range(items)], np.arange(items, 0, -1, dtype=np.float32)
    return Catalogue(ids, titles, prior=prior, edges=edges)


def sparse_likes(users: int, items: int, seed: int = 0) -> csr_matrix:
    """Random likes with popular and with never-liked items."""
    rng = np.random.default_rng(seed)
    share = np.linspace(0, 0.4, items)
    return csr_matrix((rng.random((users, items)) < share).astype(np.float32))


def unseen_best(scores: np.ndarray, baskets: csr_matrix) -> np.ndarray:
    return np.where(baskets.toarray() > 0, -np.inf, scores).argmax(1)
