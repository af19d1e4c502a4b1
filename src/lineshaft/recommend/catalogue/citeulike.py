"""CiteULike-a: scientists and the articles in their libraries, with titles and citations.

Its tags were given by the very users whose libraries are predicted: as features of new items they leak, and
are not read. Abstracts exist for 1,929 of 16,980 articles only, and are not read either.
"""

from pathlib import Path
from typing import Literal

import numpy as np
from scipy.sparse import csr_matrix

from lineshaft.engine import RequestError, Run
from lineshaft.recommend.catalogue.catalogue import Catalogue, Edges
from lineshaft.recommend.catalogue.data import Data
from lineshaft.recommend.catalogue.source import Source
from lineshaft.recommend.data import CITEULIKE, CITEULIKE_COLD, CITEULIKE_ITEMS
from lineshaft.recommend.evaluate.folds import Split, binary, by_item

SHAPE = (5551, 16980)


class Citeulike(Source):
    """DropoutNet's warm and cold splits, titles and citations."""

    name: Literal["citeulike-a"] = "citeulike-a"

    def open(self, run: Run) -> Data:
        warm, cold, items = (run.data(known) for known in (CITEULIKE, CITEULIKE_COLD, CITEULIKE_ITEMS))
        return opened(warm, cold, items)


def opened(warm: Path, cold: Path, items: Path) -> Data:
    """From the three folders."""
    known = split(warm)
    unseen = np.sort(_numbers(cold / "test_item_ids.csv", 1)[:, 0]) - 1
    return Data(
        users=[str(number) for number in range(SHAPE[0])],
        likes=known.train + known.test,
        catalogue=catalogue(items),
        rule=by_item,
        published_warm=known,
        published_cold=Split(pairs(cold / "train.csv"), pairs(cold / "test.csv"), unseen),
    )


def split(folder: Path) -> Split:
    """DropoutNet's lines of `user,item,1`, both counted from 1."""
    return Split(*(pairs(folder / f"{name}.csv") for name in ("train", "test")))


def pairs(path: Path) -> csr_matrix:
    read = _numbers(path, 2)
    return binary(read[:, 0] - 1, read[:, 1] - 1, SHAPE)


def catalogue(folder: Path) -> Catalogue:
    """Line i of titles.txt and `n cited cited ...` of citations.dat belong to article i."""
    titles = (folder / "titles.txt").read_text(encoding="utf-8").split("\n")[: SHAPE[1]]
    lines = (folder / "citations.dat").read_text().splitlines()
    cited = [np.array(line.split()[1:], np.int32) for line in lines]
    source = np.repeat(np.arange(len(cited), dtype=np.int32), [len(row) for row in cited])
    edges = Edges(source, np.concatenate(cited), np.ones(len(source), np.float32))
    return Catalogue([str(number) for number in range(len(titles))], titles, edges=edges)


def _numbers(path: Path, columns: int) -> np.ndarray:
    """(lines, columns) the first columns of a file of numbers."""
    try:
        return np.loadtxt(path, int, delimiter=",", usecols=range(columns), ndmin=2)
    except ValueError as error:
        raise RequestError(f"{path}: expected lines of user,item: {error}") from None
