"""The data sets: where they come from, and the functions that turn their files into a warm split.

A pair means "has it in the library" (CiteULike) or "wrote a review of it" (AnimeULike, whatever the score:
the authors count any rating as liked). Nothing else is read here: no texts, no tags, no graph.
"""

import csv
import gzip
from pathlib import Path

import numpy as np

from lineshaft.engine import Dataset, RequestError
from lineshaft.recommend.folds import Split, binary, split
from lineshaft.samples.catalogue import catalogue

_DROPOUTNET = (
    "https://raw.githubusercontent.com/layer6ai-labs/DropoutNet/1b53a014ffa33878e831f6a2c5d890fd8a0b8624"
)

CITEULIKE = Dataset(
    name="citeulike-a",
    folder="recommend/citeulike-a/dropoutnet_split/warm",
    files={
        "train.csv": "f5be735d7b4447e863ab21525eda13e25f23557a29ee0eacdf92e1ae6cc31f4d",
        "test.csv": "c2b80084348c4b971673d1cf4ce3f8e78d2c017802b3458f6e9f6bd00508e69d",
    },
    source="github.com/layer6ai-labs/DropoutNet, commit 1b53a01, eval/warm",
    licence="split: Apache-2.0; data: none stated, cite Wang, Chen and Li, IJCAI 2013",
    urls={name: f"{_DROPOUTNET}/eval/warm/{name}" for name in ("train.csv", "test.csv")},
)
CITEULIKE_USERS = Dataset(
    name="citeulike-a-users",
    folder="recommend/citeulike-a",
    files={"users.dat": "53211d82c14ff261e595634d285ed9fbf8049cf81dcb751d924d695b9612a02c"},
    source="github.com/js05212/citeulike-a, users.dat",
    licence="none stated; cite Wang, Chen and Li, IJCAI 2013",
    urls={"users.dat": "https://raw.githubusercontent.com/js05212/citeulike-a/master/users.dat"},
)
ANIMEULIKE = Dataset(
    name="animeulike",
    folder="recommend/animeulike",
    files={
        "ratings.tsv.gz": "19fadec64cf87e166019ba420e945d82b4b61c6b2b3d053ba949e95e99da82a7",
        "shows_rank_order.txt": "f0d600a377c38d34d150ded75553133c83bc74357e065ed8dd800fd75dd72894",
    },
    source="github.com/shiningsunnyday/animeulike, commit 4a45815: 10000_shows_to_process.txt, and "
    "10000_user_ratings.txt without its repeated lines and with other numbers for the users",
    licence="none stated; deposited as doi:10.7910/DVN/PT14ML; research and tests only",
)
DATASETS = [CITEULIKE, CITEULIKE_USERS, ANIMEULIKE]

CITEULIKE_SHAPE = (5551, 16980)


def planted(seed: int) -> Split:
    """The embedded catalogue, its planted answer with it."""
    made = catalogue()
    parts = split(binary(made.users, made.items, made.taste.shape), seed)
    return Split(parts.train, parts.test, made.taste)


def citeulike(folder: Path) -> Split:
    """DropoutNet's warm split: lines of `user,item,1`, both counted from 1."""
    train, test = (_pairs(folder / name, ",") for name in ("train.csv", "test.csv"))
    return Split(*(binary(p[:, 0] - 1, p[:, 1] - 1, CITEULIKE_SHAPE) for p in (train, test)))


def citeulike_users(folder: Path, seed: int) -> Split:
    """The authors' own file: line u is `n item item ...`, items from 0; 80 % of a user for training."""
    with (folder / "users.dat").open() as file:
        libraries = [np.array(line.split()[1:], int) for line in file]
    users = np.repeat(np.arange(len(libraries)), [len(items) for items in libraries])
    return split(binary(users, np.concatenate(libraries), CITEULIKE_SHAPE), seed)


def animeulike(folder: Path, seed: int) -> Split:
    """Reviews of the 10,000 shows, columns in order of MyAnimeList rank; split 80/20 (see `folds.split`)."""
    shows = np.loadtxt(folder / "shows_rank_order.txt", int)
    column = {show: index for index, show in enumerate(shows.tolist())}
    with gzip.open(folder / "ratings.tsv.gz", "rt") as file:
        rows = [(row["user"], row["item"]) for row in csv.DictReader(file, delimiter="\t")]
    names, users = np.unique([int(user) for user, _ in rows], return_inverse=True)
    items = np.array([column[int(item)] for _, item in rows])
    return split(binary(users, items, (len(names), len(shows))), seed)


def _pairs(path: Path, delimiter: str) -> np.ndarray:
    """(lines, 2) the first two columns of a file of numbers."""
    try:
        return np.loadtxt(path, int, delimiter=delimiter, usecols=(0, 1), ndmin=2)
    except ValueError as error:
        raise RequestError(f"{path}: expected lines of user{delimiter}item: {error}") from None
