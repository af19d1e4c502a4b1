"""Readers of the known sets: formats on toy files, and the published figures on the real ones."""

import gzip
import json
import os
from pathlib import Path

import numpy as np
import pytest

from lineshaft.engine import Dataset, RequestError
from lineshaft.engine.testing import FakeRun
from lineshaft.recommend import data
from lineshaft.recommend.catalogue import aldi, animeulike, citeulike
from lineshaft.recommend.catalogue.data import Data
from lineshaft.recommend.catalogue.source import Sample
from lineshaft.recommend.evaluate.folds import sizes, warm_fold
from lineshaft.recommend.evaluate.ranks import evaluate
from lineshaft.recommend.evaluate.tasks import Mixed
from lineshaft.recommend.models.ease import Ease
from lineshaft.recommend.models.memoriser import Memoriser
from lineshaft.recommend.models.model import Model
from lineshaft.recommend.models.popularity import Popularity
from lineshaft.recommend.tables import DROPOUTNET_WMF


def test_dropoutnets_pairs_count_from_one(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("1,1,1\n5551,16980,1\n")
    (tmp_path / "test.csv").write_text("1,3,1\n")
    split = citeulike.split(tmp_path)
    assert split.train[0, 0] == split.train[5550, 16979] == split.test[0, 2] == 1
    assert (split.train.nnz, split.test.nnz) == (2, 1)


def test_a_line_that_is_no_pair_is_named(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("1,one,1\n")
    with pytest.raises(RequestError, match=r"train\.csv: expected lines of user,item"):
        citeulike.split(tmp_path)


def test_citations_leave_the_article_of_their_line(tmp_path: Path) -> None:
    (tmp_path / "titles.txt").write_text("One\nTwo\nThree\n" * 5660)
    (tmp_path / "citations.dat").write_text("2 1 2\n0\n1 0\n" + "0\n" * 16977)
    edges = citeulike.catalogue(tmp_path).edges
    assert edges.source.tolist() == [0, 0, 2] and edges.target.tolist() == [1, 2, 0]


def test_animeulikes_reviews_become_columns_in_rank_order(tmp_path: Path) -> None:
    (tmp_path / "shows_rank_order.txt").write_text("5114\n40028\n1\n")
    with gzip.open(tmp_path / "ratings.tsv.gz", "wt") as file:
        file.write("user\titem\thelpful\trating\n7\t1\t3\t9\n7\t5114\t0\t1\n9\t40028\t0\t6\n")
    users, likes = animeulike.likes(tmp_path)
    assert users == ["7", "9"] and likes.toarray().tolist() == [[1, 0, 1], [0, 1, 0]]


def test_animeulikes_two_graphs_are_one(tmp_path: Path) -> None:
    shows = [
        {"id": i, "title": t, "genres": ["A"], "themes": ["A", "B"], "synopsis": None}
        for i, t in ((5, "X"), (7, None))
    ]
    for name, text in (
        ("items.jsonl.gz", "\n".join(map(json.dumps, shows))),
        ("recs_graph_2022_notext.tsv.gz", "source_id\ttarget_id\tnumber\n5\t7\t3\n7\t5\t1\n"),
        ("recs_author_text.jsonl.gz", json.dumps({"show1": 5, "show2": 7, "n_recs": 2, "text": "both fly"})),
    ):
        with gzip.open(tmp_path / name, "wt") as file:
            file.write(text)
    made = animeulike.catalogue(tmp_path)
    assert made.titles == ["X", ""] and made.tags == [("A", "B")] * 2 and made.sentences()[1] == "A, B"
    assert made.edges.weight.tolist() == [3, 1] and made.edges.texts == ["both fly", ""]


def real(dataset: Dataset) -> Path:
    root = os.environ.get("LINESHAFT_DATA")
    if not root:
        pytest.skip("LINESHAFT_DATA is not set")
    return Path(root) / dataset.folder


@pytest.fixture(scope="module")
def library() -> Data:
    return citeulike.opened(
        *(real(one) for one in (data.CITEULIKE, data.CITEULIKE_COLD, data.CITEULIKE_ITEMS))
    )


@pytest.mark.data
def test_citeulike_is_whole(library: Data) -> None:
    warm, cold = library.warm(0), library.cold(0)
    assert (warm.train.nnz, warm.test.nnz) == (170_988, 33_998)
    assert (cold.train.nnz, cold.test.nnz, len(cold.candidates)) == (164_210, 40_776, 3_396)
    assert (cold.train + cold.test != library.likes).nnz == 0
    assert len(library.catalogue.edges) == 2 * 44_709 and library.catalogue.has_text.all()


@pytest.mark.data
def test_validation_on_citeulike_holds_out_what_its_test_does(library: Data) -> None:
    """No held-out pair leaves its item two or fewer; a uniform draw leaves 5.7 % of them so."""
    warm = library.warm(0)
    count = np.asarray((warm.train + warm.test).sum(0)).ravel().astype(int)
    assert (np.asarray(warm.test.sum(0)).ravel() == count // 5).all(), "the rule that validation follows"
    made = library.validation(warm.train, 0)
    assert np.asarray(made.train.sum(0)).ravel()[made.test.indices].min() >= 3


@pytest.mark.data
def test_animeulike_is_whole() -> None:
    users, likes = animeulike.likes(real(data.ANIMEULIKE))
    catalogue = animeulike.catalogue(real(data.ANIMEULIKE_ITEMS))
    made = Data(users, likes, catalogue)
    assert likes.shape == (13_791, 10_000) and likes.nnz == 83_244 and len(catalogue) == 10_000
    assert (sizes(made.warm(0).test) > 0).sum() == 4_077
    assert sum(map(bool, catalogue.titles)) == 9_866 and sum(map(bool, catalogue.edges.texts)) == 1_070


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
def test_published_recall_on_citeulike_warm(library: Data, model: Model, low: float, high: float) -> None:
    """DropoutNet's paper has .592 for WMF on this split."""
    found = evaluate(model, warm_fold(library.warm(0)), library.catalogue, seed=0, threads=1)
    assert low < found.recall(100).mean() < high


@pytest.mark.data
def test_aldis_split_shares_a_training_part_and_keeps_cold_items_out_of_it() -> None:
    made = aldi.opened(real(data.ALDI), real(data.CITEULIKE_ITEMS))
    groups = Mixed().groups(made, 0)
    overall, cold, warm = (groups[0][name] for name in ("overall", "cold", "warm"))
    assert warm.train.nnz == 132_073
    assert overall.held_out.nnz == cold.held_out.nnz + warm.held_out.nnz
    assert not np.intersect1d(cold.candidates, warm.train.indices).size
    assert not np.intersect1d(cold.candidates, warm.candidates).size


def test_a_mixed_task_needs_one_training_part(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="share a training part"):
        Mixed().groups(Sample().open(FakeRun(tmp_path)), 0)
