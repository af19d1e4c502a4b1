"""The comparison: the same figures as each model alone, honest pairs, and a cut run that ends the same."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from lineshaft.engine.testing import FakeRun, assert_resumes
from lineshaft.recommend import comparison
from lineshaft.recommend.catalogue.source import Sample
from lineshaft.recommend.evaluate.paired import Outcome
from lineshaft.recommend.evaluate.ranks import rank
from lineshaft.recommend.evaluate.tasks import GuestTask, Unseen, Warm
from lineshaft.recommend.experiments.compare import Config, changed, labelled, pairs, run
from lineshaft.recommend.models.blend import Blend, Slot
from lineshaft.recommend.models.deepnaninet import DeepNaniNet
from lineshaft.recommend.models.dropoutnet import DropoutNet
from lineshaft.recommend.models.ease import Ease
from lineshaft.recommend.models.graph import Graph
from lineshaft.recommend.models.l3ae import L3ae
from lineshaft.recommend.models.popularity import Popularity
from lineshaft.recommend.models.trial import Guests, Members
from lineshaft.recommend.models.wmf import Bridge, Wmf
from lineshaft.recommend.text.encoders import Words

WORDS = (Words(width=16),)
NET = DeepNaniNet(epochs=1, encoders=WORDS, start=None, teacher=L3ae(encoders=WORDS))
BLEND = Blend(
    slots=(Slot(any_of=(Ease(lam=100),)), Slot(any_of=(Graph(),), rare=True), Slot(any_of=(Popularity(),))),
    trial=Members(most=100),
)


SMALL = Sample(users=400, items=500)


def config(**changes) -> Config:
    base = Config(data=SMALL, rivals=(Popularity(), Ease(lam=100)), blend=BLEND, net=NET)
    return base.model_copy(update=changes)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """So small products lose more by waiting for each other than they win."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    return run(config(), FakeRun(tmp_path_factory.mktemp("warm"), config()))


def test_every_model_reaches_what_it_reaches_by_itself(warm: dict[str, float], tmp_path: Path) -> None:
    data = SMALL.open(FakeRun(tmp_path))
    fold = Warm().groups(data, 0)[0]["warm"]
    for name, model in (("ease", Ease(lam=100)), ("blend", BLEND)):
        scorer = model.fit(fold.train, data.catalogue, seed=0, threads=1)
        alone = rank(lambda rows: scorer.score(fold.baskets[rows]), fold)  # noqa: B023
        assert warm[f"warm/{name}/recall@100"] == pytest.approx(alone.recall(100).mean(), abs=2e-3)


def test_a_difference_is_that_of_the_means_and_its_interval_holds_it(warm: dict[str, float]) -> None:
    gain = warm["warm/blend-ease/recall@100"]
    assert gain == pytest.approx(warm["warm/blend/recall@100"] - warm["warm/ease/recall@100"])
    assert warm["warm/blend-ease/recall@100_low"] < gain < warm["warm/blend-ease/recall@100_high"]
    assert "warm/blend+deepnaninet-blend/recall@20" in warm


def test_the_same_people_are_asked_about_unseen_items_in_and_out_of_the_matrix(tmp_path: Path) -> None:
    asked = config(task=Unseen(most=60), rivals=(Ease(lam=100),), net=None, others=(Graph(),))
    found = run(asked, FakeRun(tmp_path, asked))
    gain = found["inside-outside/graph/recall@100"]
    assert gain == 0 and found["inside/graph/recall@100"] == found["outside/graph/recall@100"]
    rows = np.load(tmp_path / "arrays/inside_recall@100.npy")
    assert rows.shape == np.load(tmp_path / "arrays/outside_recall@100.npy").shape and rows.shape[1] > 30


def test_a_variant_stands_in_the_networks_place_and_seeds_are_averaged(tmp_path: Path) -> None:
    asked = config(
        task=GuestTask(most=60, baskets=(2,)),
        rivals=(),
        variants=(NET.model_copy(update={"edges": "none"}),),
        others=(DropoutNet(epochs=1, encoders=WORDS, wmf=Wmf(factors=4)),),
        seeds=(0, 1),
    )
    found = run(asked, FakeRun(tmp_path, asked))
    assert {"guest/edges=none-deepnaninet/recall@100", "guest2/dropoutnet/recall@100_deviation"} <= set(found)
    assert "guest/blend+edges=none-blend+deepnaninet/recall@100" in found
    assert found["guest/edges=none/seeds"] == 2


def test_a_cut_comparison_ends_as_an_undisturbed_one(tmp_path: Path) -> None:
    asked = config(task=GuestTask(most=40, baskets=(1,)), blend=None, net=None)
    assert_resumes("recommend.compare", asked, tmp_path)


def test_validation_asks_nothing_of_the_test(tmp_path: Path) -> None:
    data = SMALL.open(FakeRun(tmp_path))
    for task in (Warm(), GuestTask(), Unseen()):
        fold = task.validation(data, 0)
        for stage in task.groups(data, 0)[0].values():
            assert (fold.train + fold.held_out).multiply(stage.held_out).nnz == 0


def test_pairs_and_names() -> None:
    labels = ["ease", "blend", "net", "blend+net", "rival", "edges=none", "blend+edges=none"]
    assert list(pairs(labels, "net")) == [
        ("blend+net", "ease"),
        ("blend+net", "blend"),
        ("blend+net", "net"),
        ("blend+net", "rival"),
        ("blend", "ease"),
        ("blend", "net"),
        ("blend", "rival"),
        ("net", "ease"),
        ("net", "rival"),
        ("edges=none", "net"),
        ("blend+edges=none", "blend+net"),
    ]
    assert changed(NET.model_copy(update={"distil": 0.0}), NET) == "distil=0.0"
    assert [name for name, _ in labelled((Ease(lam=1), Ease(lam=2)))] == ["ease", "lam=2.0"]
    bridged = [Wmf(bridge=Bridge(hops=hops)) for hops in (2, 0)]
    assert changed(bridged[1], bridged[0]) == "bridge.hops=0"
    assert list(pairs(["wmf", "bridge.hops=0"], "")) == [("bridge.hops=0", "wmf")]


def test_over_pairs_people_and_seeds() -> None:
    def outcome(*values: list[float]) -> Outcome:
        return Outcome({name: np.array(values) for name in ("recall@100", "recall@20", "recall@100_item")})

    gain = outcome([0.5, 0.7], [0.7, 0.9]).over(outcome([0.5, 0.5]))
    assert gain["recall@100"] == pytest.approx(0.2)
    assert gain["recall@100_deviation"] == pytest.approx(0.2 / 2**0.5)
    assert gain["recall@100_high"] - gain["recall@100"] == pytest.approx(1.96 * 0.1)


def test_the_kept_configurations_are_whole() -> None:
    every = comparison.tests() + comparison.ablations() + comparison.encoder() + comparison.tuning()
    assert len(every) == 20 and len(comparison.closed()) == 2
    for queue in (comparison.citeulike(), comparison.animeulike()):
        assert len(queue) == 8 and all(one in every for one in queue[:-1])
        assert len(labelled(queue[-1].rivals)) == len({name for name, _ in labelled(queue[-1].rivals)}) == 9
    assert all(len(one.others) == 6 for one in comparison.tuning())
    assert isinstance(comparison.tests()[2].blend.trial, Guests)
