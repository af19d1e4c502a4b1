"""What a saved model says to one guest, in words: a basket, what is recommended for it, and why."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from lineshaft.recommend.catalogue.catalogue import Catalogue
from lineshaft.recommend.models.model import load
from lineshaft.recommend.reasons import Reason

SHOWN, ASKED = 3, 5


def lines(folder: Path) -> list[str]:
    """A guest's basket and the answer of the model that `recommend.train` left in this folder."""
    from lineshaft.recommend.experiments.train import FILE

    scorer = load(folder / FILE)
    catalogue = scorer.catalogue
    basket = [catalogue.ids[row] for row in _basket(catalogue, scorer.likes)]
    found = scorer.recommend(basket, ASKED)

    def title(item: str) -> str:
        return catalogue.title(catalogue.row[item])

    told = [f"  {title(item)}: {sentence(why, title)}" for item, why in zip(found.items, found.reasons)]
    return [f"a guest who likes {', '.join(map(title, basket))} is recommended:", *told]


def _basket(catalogue: Catalogue, likes: np.ndarray) -> list[int]:
    """The most liked item, its most liked kin by tag, and the most liked item of other kinds."""
    order = np.argsort(-likes, kind="stable").tolist()
    kin = [row for row in order if not catalogue.tags or catalogue.tags[row] == catalogue.tags[order[0]]]
    return (kin[: SHOWN - 1] + [row for row in order if row not in kin] + kin[SHOWN - 1 :])[:SHOWN]


def sentence(reason: Reason, title: Callable[[str], str]) -> str:
    """The reason in words; `title`: what to call an item of this id."""
    if reason.because is None:
        return "many like it"
    own = title(reason.because)
    if reason.kind == "written":
        return f'"{reason.text}"'
    if reason.through is not None:
        return f"linked to {own} through {title(reason.through)}"
    both = f" ({', '.join(reason.shared)})" if reason.shared else ""
    how = {"linked": "linked to", "shared": "like"}.get(reason.kind, "liked by those who like")
    return f"{how} {own}{both}"
