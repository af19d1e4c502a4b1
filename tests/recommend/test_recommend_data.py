"""Loaders: the files' own formats on toy files, and the published figures on the real ones."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest

from lineshaft.engine import RequestError
from lineshaft.recommend import data
from lineshaft.recommend.evaluate import evaluate
from lineshaft.recommend.folds import Split, sizes, warm_fold
from lineshaft.recommend.models.ease import Ease
from lineshaft.recommend.models.memoriser import Memoriser
from lineshaft.recommend.models.model import Model
from lineshaft.recommend.models.popularity import Popularity
from lineshaft.recommend.tables import DROPOUTNET_WMF


def test_dropoutnets_pairs_count_from_one(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("1,1,1\n5551,16980,1\n")
    (tmp_path / "test.csv").write_text("1,3,1\n")
    split = data.citeulike(tmp_path)
    assert split.train[0, 0] == split.train[5550, 16979] == split.test[0, 2] == 1
    assert (split.train.nnz, split.test.nnz) == (2, 1)


def test_a_line_that_is_no_pair_is_named(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("1,one,1\n")
    with pytest.raises(RequestError, match=r"train\.csv: expected lines of user,item"):
        data.citeulike(tmp_path)


def test_citeulikes_own_lists_count_items_from_zero(tmp_path: Path) -> None:
    (tmp_path / "users.dat").write_text("2 0 16979\n5 1 2 3 4 5\n")
    split = data.citeulike_users(tmp_path, seed=0)
    whole = (split.train + split.test).toarray()
    assert np.flatnonzero(whole[0]).tolist() == [0, 16979] and whole[1].sum() == 5
    assert sizes(split.test)[:2].tolist() == [0, 1], "a user of two items only trains"


def test_animeulikes_reviews_become_columns_in_rank_order(tmp_path: Path) -> None:
    (tmp_path / "shows_rank_order.txt").write_text("5114\n40028\n1\n")
    with gzip.open(tmp_path / "ratings.tsv.gz", "wt") as file:
        file.write("user\titem\thelpful\trating\n7\t1\t3\t9\n7\t5114\t0\t1\n9\t40028\t0\t6\n")
    split = data.animeulike(tmp_path, seed=0)
    assert split.train.toarray().tolist() == [[1, 0, 1], [0, 1, 0]] and split.test.nnz == 0


def real(dataset: data.Dataset) -> Path:
    root = os.environ.get("LINESHAFT_DATA")
    if not root:
        pytest.skip("LINESHAFT_DATA is not set")
    return Path(root) / dataset.folder


@pytest.fixture(scope="module")
def citeulike() -> Split:
    return data.citeulike(real(data.CITEULIKE))


@pytest.mark.data
def test_citeulike_is_whole_and_is_its_authors_own_file(citeulike: Split) -> None:
    own = data.citeulike_users(real(data.CITEULIKE_USERS), seed=0)
    assert (citeulike.train.nnz, citeulike.test.nnz) == (170_988, 33_998)
    assert (citeulike.train + citeulike.test != own.train + own.test).nnz == 0


@pytest.mark.data
def test_animeulike_is_whole() -> None:
    split = data.animeulike(real(data.ANIMEULIKE), seed=0)
    assert split.train.shape == (13_791, 10_000) and (split.train + split.test).nnz == 83_244
    assert (sizes(split.test) > 0).sum() == 4_077


@pytest.mark.data
@pytest.mark.parametrize(
    ("model", "low", "high"),
    [
        (Popularity(), 0.066, 0.068),
        (Memoriser(), 0.0055, 0.0065),
        (DROPOUTNET_WMF, 0.585, 0.598),
        (Ease(lam=100), 0.585, 0.595),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_published_recall_on_citeulike_warm(citeulike: Split, model: Model, low: float, high: float) -> None:
    """DropoutNet's paper has .592 for WMF on this split."""
    assert low < evaluate(model, warm_fold(citeulike), seed=0, threads=1).recall(100).mean() < high
