"""CiteULike-a as ALDI and GAR split it: warm pairs 8:1:1, and a fifth of the items cold, half of them tested.

Ranked at 20 by precision and NDCG: everything that is tested among all items (overall), the cold items among
themselves, the warm ones among themselves. Another draw than the publications', so compare with care. Warm
validation pairs are neither trained on nor masked, as they would be there: they count against a model.
"""

from pathlib import Path
from typing import Literal

import numpy as np
from scipy.sparse import csr_matrix

from lineshaft.engine import Run
from lineshaft.recommend.catalogue import citeulike
from lineshaft.recommend.catalogue.data import Data
from lineshaft.recommend.catalogue.source import Source
from lineshaft.recommend.data import ALDI, CITEULIKE_ITEMS
from lineshaft.recommend.evaluate.folds import Split, binary

TRAIN, WARM, HIDDEN, COLD = "warm_emb.csv", "warm_test.csv", "cold_item_val.csv", "cold_item_test.csv"


class Aldi(Source):
    """ALDI's split, titles and citations."""

    name: Literal["citeulike-aldi"] = "citeulike-aldi"

    def open(self, run: Run) -> Data:
        return opened(run.data(ALDI), run.data(CITEULIKE_ITEMS))


def opened(folder: Path, items: Path) -> Data:
    """Warm test pairs among the warm items, cold test pairs among all cold items; one training part."""
    train = pairs(folder / TRAIN)
    warm, hidden, cold = (pairs(folder / name) for name in (WARM, HIDDEN, COLD))
    unrated = np.unique(np.concatenate([hidden.indices, cold.indices]))
    rated = np.setdiff1d(np.arange(train.shape[1]), unrated)
    return Data(
        users=[str(number) for number in range(train.shape[0])],
        likes=train + warm + cold,
        catalogue=citeulike.catalogue(items),
        published_warm=Split(train, warm, rated),
        published_cold=Split(train, cold, unrated),
    )


def pairs(path: Path) -> csr_matrix:
    """Lines of user,item below a header, both counted from 0."""
    read = np.loadtxt(path, int, delimiter=",", skiprows=1, ndmin=2)
    return binary(read[:, 0], read[:, 1], citeulike.SHAPE)
