"""The blend: better than its parts on the planted catalogue, honest search, and the same after saving."""

from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix, vstack

from lineshaft.engine import RequestError
from lineshaft.recommend.catalogue.catalogue import Catalogue
from lineshaft.recommend.evaluate.folds import Lots, binary, cold_of, draw_guests, guest_fold, warm_fold
from lineshaft.recommend.evaluate.ranks import rank
from lineshaft.recommend.models import gate
from lineshaft.recommend.models.blend import Blend, Slot
from lineshaft.recommend.models.content import Content
from lineshaft.recommend.models.deepnaninet import DeepNaniNet
from lineshaft.recommend.models.ease import Ease
from lineshaft.recommend.models.folded import folded
from lineshaft.recommend.models.gated import Gated
from lineshaft.recommend.models.graph import Graph
from lineshaft.recommend.models.l3ae import L3ae
from lineshaft.recommend.models.model import Scorer, load, one_row
from lineshaft.recommend.models.popularity import Popularity
from lineshaft.recommend.models.trial import Guests
from lineshaft.recommend.models.weights import twin
from lineshaft.recommend.models.wmf import Wmf
from lineshaft.recommend.sample import sample
from lineshaft.recommend.text.encoders import Words

MADE = sample(users=800, items=500)
WIDTH = len(MADE.catalogue)
LIKES = binary(MADE.users, MADE.items, MADE.taste.shape)
LOTS = Lots([str(n) for n in range(len(MADE.taste))], MADE.catalogue.ids, "test")
GUESTS = draw_guests(LIKES, LOTS, 0.2)
FEW = Blend(
    slots=(
        Slot(any_of=(Ease(lam=100), Ease(lam=1e6))),
        Slot(any_of=(Content(encoder=Words(width=64)),), rare=True),
        Slot(any_of=(Graph(),), rare=True),
        Slot(any_of=(Popularity(),)),
    ),
    trial=Guests(most=150),
)


def fold(basket: int | None):
    return guest_fold(LIKES, GUESTS, basket, LOTS)


@pytest.fixture(scope="module")
def fitted() -> Scorer:
    return FEW.fit(fold(1).train, MADE.catalogue, seed=0, threads=1)


@pytest.mark.parametrize("basket", [1, 3, 5, None])
def test_it_beats_ease_and_popularity_at_every_size_of_basket(basket: int | None, fitted: Scorer) -> None:
    asked = fold(basket)
    own = rank(lambda rows: fitted.score(asked.baskets[rows]), asked).recall(50)
    for rival in (Ease(lam=100), Popularity()):
        other = rival.fit(asked.train, MADE.catalogue, seed=0, threads=1)
        gain = own - rank(lambda rows: other.score(asked.baskets[rows]), asked).recall(50)  # noqa: B023
        assert gain.mean() > 1.96 * gain.std() / np.sqrt(len(gain))


def test_unrated_items_are_ranked_by_their_texts_and_links(fitted: Scorer) -> None:
    hidden = cold_of(LIKES, np.arange(0, WIDTH, 5))
    asked = warm_fold(hidden)
    blend = FEW.fit(hidden.train, MADE.catalogue, seed=0, threads=1)
    found = rank(lambda rows: blend.score(asked.baskets[rows]), asked).recall(20).mean()
    assert found > 2.2 * 20 / 100, "chance is 20 of 100"


def test_it_is_the_same_after_saving(fitted: Scorer, tmp_path: Path) -> None:
    again = load(fitted.save(tmp_path / "model.safetensors"))
    baskets = fold(3).baskets[np.flatnonzero(GUESTS)[:9]]
    assert (again.score(baskets) == fitted.score(baskets)).all()
    basket = MADE.catalogue.ids[:3]
    assert again.recommend(basket, k=5) == fitted.recommend(basket, k=5)


def test_the_named_basket_item_is_the_one_that_matters(fitted: Scorer) -> None:
    """Taking it out lowers the rank more than taking out another one, in nine of ten cases."""
    better = total = 0
    asked = fold(5).baskets[np.flatnonzero(GUESTS)[:15]]
    for row in asked:
        names = [MADE.catalogue.ids[i] for i in row.indices]
        found = fitted.recommend(names, k=2)
        for item, reason in zip(found.items, found.reasons):
            if reason.because is None:
                continue
            place = {name: position(fitted, [n for n in names if n != name], item) for name in names}
            others = [place[name] for name in names if name != reason.because]
            better += sum(place[reason.because] >= other for other in others)
            total += len(others)
    assert better / total > 0.9


def position(scorer: Scorer, names: list[str], item: str) -> int:
    rows, own = MADE.catalogue.rows(names), MADE.catalogue.row[item]
    scores = scorer.score(one_row(rows, WIDTH))[0]
    scores[rows] = -np.inf
    return int((scores > scores[own]).sum())


def series(users: int, items: int) -> csr_matrix:
    """Few users love a series of six items each; everybody takes popular items besides."""
    rng = np.random.default_rng(0)
    taste = 6 * (rng.random((users, items // 6)) > 0.97)[:, np.arange(items) // 6]
    keys = taste - np.log(rng.permutation(items) + 5) + rng.gumbel(size=(users, items))
    counts = np.clip(rng.geometric(0.1, users), 2, 100)
    chosen = [np.argsort(-row)[:count] for row, count in zip(keys, counts)]
    return binary(np.repeat(np.arange(users), counts), np.concatenate(chosen), (users, items))


@pytest.mark.parametrize("basket", [1, 3])
def test_popularity_does_not_beat_it_where_a_series_says_little_of_the_rest(basket: int) -> None:
    likes = series(500, 600)
    lots = Lots([str(n) for n in range(500)], [str(n) for n in range(600)])
    asked = guest_fold(likes, draw_guests(likes, lots, 0.3), basket, lots)
    blend = Blend(slots=(Slot(any_of=(Ease(lam=200, rows=400),)), Slot(any_of=(Popularity(),))))
    own, *others = (
        rank(lambda rows: scorer.score(asked.baskets[rows]), asked).recall(100)  # noqa: B023
        for model in (blend, Ease(lam=200), Popularity())
        for scorer in [model.fit(asked.train, Catalogue.bare(600), seed=0, threads=1)]
    )
    assert all(own.mean() > other.mean() for other in others)


def test_where_people_are_few_all_are_guests_in_turn() -> None:
    likes = LIKES[:200]
    draws = Guests().draws(likes, MADE.catalogue, 0)
    outside = [np.flatnonzero(np.diff(drawn.train.indptr) == 0) for drawn in draws]
    assert len(draws) == 3 and [len(rows) for rows in outside] == [60, 60, 60]
    assert len(np.unique(np.concatenate(outside))) == 180
    assert len(Guests(most=600).draws(csr_matrix(vstack([LIKES, LIKES, LIKES])), MADE.catalogue, 0)) == 1


def test_some_part_always_speaks() -> None:
    """On noise alone chance may find more than any part does: no search may end in silence."""
    rng = np.random.default_rng(1)
    for _ in range(20):
        wanted = rng.random((8, 40)) < 0.1
        wanted[:, 0] = True
        assert gate.search(question(rng.normal(size=(2, 8, 40)).astype(np.float32), wanted), (5, 10)).any()


def test_parts_that_the_catalogue_cannot_feed_are_left_out() -> None:
    scorer = FEW.fit(LIKES, Catalogue.bare(WIDTH), seed=0, threads=1)
    assert {type(part).__name__ for part in scorer.parts.values()} <= {"Whole", "Counted"}


def test_too_few_users_are_refused_with_the_way_out() -> None:
    with pytest.raises(RequestError, match=r"two or more items to find its gate: take model=popularity"):
        FEW.fit(csr_matrix(np.eye(4, dtype=np.float32)), Catalogue.bare(4), seed=0, threads=1)


def test_users_of_two_items_are_enough() -> None:
    rng = np.random.default_rng(3)
    likes = binary(np.repeat(np.arange(80), 2), rng.integers(0, 30, 160), (80, 30))
    slots = (Slot(any_of=(Ease(lam=10),)), Slot(any_of=(Popularity(),)))
    scorer = Blend(slots=slots).fit(likes, Catalogue.bare(30), seed=0, threads=1)
    assert np.isfinite(scorer.score(likes)).all()


def noise_taken() -> int:
    """Weights that ten searches on twenty baskets give to nine features of noise beside one that tells."""
    taken = 0
    for seed in range(10):
        rng = np.random.default_rng(seed)
        wanted = rng.random((20, 80)) < 0.1
        wanted[:, 0] = True
        z = rng.normal(size=(10, 20, 80))
        z[0] += 2 * wanted
        weights = gate.search(question(z.astype(np.float32), wanted), (5, 10))
        assert weights[0] > 0
        taken += int((weights[1:] > 0).sum())
    return taken


def test_on_few_baskets_luck_changes_half_as_many_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    careful = noise_taken()
    monkeypatch.setattr(gate, "least_gain", lambda gain: gate.GAIN)
    assert careful < noise_taken() / 2


def question(z: np.ndarray, wanted: np.ndarray) -> gate.Question:
    sizes = np.zeros(len(wanted), int)
    return gate.question(list(z), csr_matrix(wanted.astype(np.float32)), sizes)


def test_a_constant_score_finds_what_chance_finds() -> None:
    wanted = np.random.default_rng(5).random((400, 50)) < 0.1
    wanted[:, 0] = True
    asked = question(np.zeros((1, 400, 50), np.float32), wanted)
    lists = (5, 10)
    assert float(gate.criterion(asked.z[0], asked, lists)) == pytest.approx(5 / 50 + 10 / 50, abs=0.05)


def test_the_search_takes_the_feature_that_tells_and_leaves_noise() -> None:
    rng = np.random.default_rng(0)
    wanted = rng.random((300, 80)) < 0.1
    wanted[:, 0] = True
    noise, told = rng.normal(size=(300, 80)), wanted + rng.normal(size=(300, 80))
    weights = gate.search(question(np.stack([noise, told]).astype(np.float32), wanted), (5, 10))
    assert weights[1] > 0 and weights[0] <= 0.2 * weights[1]


def test_scores_are_brought_to_one_scale() -> None:
    baskets = csr_matrix(([1.0], [2], [0, 1]), shape=(1, 50))
    scores = np.random.default_rng(0).normal(size=(1, 50)).astype(np.float32)
    one, other = (gate.normalised(s, baskets, 10).numpy() for s in (scores, 1e3 * scores + 7))
    np.testing.assert_allclose(one, other, atol=1e-3)
    assert np.sort(one[0])[-10] == pytest.approx(1, abs=1e-5) and one[0, 2] == gate.LOW


def test_a_twin_counts_for_rare_items_alone() -> None:
    assert twin(np.ones((1, 3), np.float32), np.array([0, 1, 99]))[0].tolist() == pytest.approx([1, 1, 0.02])


def test_a_network_joins_the_parts_where_it_tells_something(tmp_path: Path) -> None:
    words = (Words(width=64),)
    net = DeepNaniNet(epochs=3, encoders=words, teacher=L3ae(encoders=words), start=Wmf(factors=16))
    alone = Blend(slots=(Slot(any_of=(Popularity(),)),), net=net, trial=Guests(most=60))
    scorer = alone.fit(LIKES, MADE.catalogue, seed=0, threads=1)
    assert isinstance(scorer, Gated) and "1_deepnaninet" in scorer.parts
    again = load(scorer.save(tmp_path / "model.safetensors"))
    np.testing.assert_allclose(again.score(LIKES[:4]), scorer.score(LIKES[:4]), rtol=1e-5)


def test_wmf_may_be_a_part() -> None:
    slots = (Slot(any_of=(Wmf(factors=8),), rare=True), Slot(any_of=(Popularity(),)))
    scorer = Blend(slots=slots, trial=Guests(most=60)).fit(LIKES, MADE.catalogue, seed=0, threads=1)
    assert scorer.score(LIKES[:3]).shape == (3, WIDTH)


def test_folded_into_one_matrix_a_size_it_loses_little_and_answers_the_same_after_loading(
    fitted: Gated, tmp_path: Path
) -> None:
    asked = [fold(basket) for basket in (1, 3, None)]
    sample = vstack([one.baskets[np.flatnonzero(np.diff(one.baskets.indptr))[:60]] for one in asked])
    quick = folded(fitted, csr_matrix(sample), rows=400)
    for one in asked:
        whole, short = (
            rank(lambda rows: scorer.score(one.baskets[rows]), one).recall(50).mean()  # noqa: B023
            for scorer in (fitted, quick)
        )
        assert short > whole - 0.02
    again = load(quick.save(tmp_path / "model.safetensors"))
    baskets = asked[1].baskets[np.flatnonzero(np.diff(asked[1].baskets.indptr))[:3]]
    np.testing.assert_array_equal(again.score(baskets), quick.score(baskets))
    np.testing.assert_allclose(quick.score(baskets[0])[0], quick.score(baskets)[0], rtol=1e-4, atol=1e-4)
    assert quick.score(csr_matrix((1, WIDTH), dtype=np.float32))[0].argmax() == quick.likes.argmax()
