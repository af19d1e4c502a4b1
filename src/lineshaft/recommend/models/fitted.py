"""The same model fitted to the same likes once: a teacher, a start and a part of a blend are often one.

    with shared():
        fitted(Ease(), likes, catalogue, seed=0, threads=2)    # is computed
        fitted(Ease(), likes, catalogue, seed=1, threads=2)    # is there: EASE draws nothing

Outside of `shared` every call computes and nothing is kept.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from scipy.sparse import csr_matrix

from lineshaft.recommend.catalogue.catalogue import Catalogue
from lineshaft.recommend.models.model import Model, Scorer

Key = tuple[str, int, int | None]
_SHELF: ContextVar[dict[Key, tuple[csr_matrix, Scorer]] | None] = ContextVar("shelf", default=None)


@contextmanager
def shared() -> Iterator[None]:
    """Within, what was fitted once is handed out again; it is let go at the end."""
    token = _SHELF.set({})
    try:
        yield
    finally:
        _SHELF.reset(token)


def fitted(model: Model, likes: csr_matrix, catalogue: Catalogue, *, seed: int, threads: int) -> Scorer:
    """As `model.fit`. Within `shared` one matrix of likes belongs to one catalogue."""
    shelf = _SHELF.get()
    if shelf is None:
        return model.fit(likes, catalogue, seed=seed, threads=threads)
    key = (model.model_dump_json(), id(likes), seed if model.draws else None)
    if key not in shelf:  # the likes are kept as well, so that no other matrix gets their id
        shelf[key] = (likes, model.fit(likes, catalogue, seed=seed, threads=threads))
    return shelf[key][1]
