"""What a guest gets: filters keep their word, and nothing that was named or put aside comes back."""

import numpy as np
import pytest

from lineshaft.recommend.catalogue.catalogue import Catalogue
from lineshaft.recommend.evaluate.folds import binary
from lineshaft.recommend.models.ease import Ease
from lineshaft.recommend.models.wmf import Wmf
from lineshaft.recommend.site.artefact import Extras, build, open_artefact
from lineshaft.recommend.site.measure import measure
from lineshaft.recommend.site.samples import Books
from lineshaft.recommend.site.source import found
from lineshaft.recommend.site.wish import Wish, recommend


@pytest.fixture
def row(artefact):
    return artefact.scorer.catalogue.row


def rows(items):
    return [one.row for one in items]


def test_sequels_of_the_basket_are_hidden_unless_they_are_wanted(artefact, row):
    basket = [row["the-three-musketeers"], row["a-study-in-scarlet"]]
    family = set(artefact.family[basket])
    hidden = recommend(artefact, Wish(basket, count=100))
    assert not family & set(artefact.family[rows(hidden)])
    shown = recommend(artefact, Wish(basket, sequels=True, count=100))
    assert family & set(artefact.family[rows(shown)])
    assert len(set(artefact.family[rows(hidden)])) == len(hidden), "one of a series"


def test_what_was_named_seen_unwanted_or_blocked_is_not_shown(artefact, row):
    basket = [row["emma"]]
    first = rows(recommend(artefact, Wish(basket, count=4)))
    again = rows(recommend(artefact, Wish(basket, seen=first[:1], unwanted=first[1:2]), np.array(first[2:3])))
    assert not {*basket, *first[:3]} & set(again) and first[3] in again


def test_unwanted_titles_lower_what_is_like_them(artefact, row):
    basket = [row["dracula"], row["emma"]]
    before = rows(recommend(artefact, Wish(basket, count=100)))
    after = rows(
        recommend(artefact, Wish(basket, unwanted=[row["carmilla"], row["frankenstein"]], count=100))
    )

    def place(found):
        gothic = [row[name] for name in ("the-monk", "the-castle-of-otranto", "the-turn-of-the-screw")]
        return np.mean([found.index(g) if g in found else 100 for g in gothic])

    assert place(after) > place(before)


def test_tags_and_members(artefact, row):
    only = recommend(artefact, Wish([row["emma"]], only=["sea", "war"], without=["adventure"], count=50))
    tags = [set(item.tags) for item in artefact.items(rows(only))]
    assert tags and all(t & {"sea", "war"} and "adventure" not in t for t in tags)
    known = recommend(artefact, Wish([row["emma"]], least_members=100, most_members=150, count=50))
    assert known and all(100 <= artefact.members[r] <= 150 for r in rows(known))
    assert recommend(artefact, Wish([row["emma"]], only=["no such tag"])) == []


def test_the_slider_leans_towards_known_or_unknown(artefact, row):
    basket = [row["emma"], row["dracula"]]
    means = [
        np.log1p(artefact.members[rows(recommend(artefact, Wish(basket, popularity=p, count=20)))]).mean()
        for p in (-1, 0, 1)
    ]
    assert means[0] < means[1] < means[2]


def test_an_empty_basket_gets_the_popular_and_every_item_leaves_nothing(artefact):
    assert {one.reason.kind for one in recommend(artefact, Wish())} == {"popular"}
    assert recommend(artefact, Wish(range(len(artefact)))) == []


def test_the_same_basket_gets_the_same_whatever_its_order(artefact, row):
    basket = [row["emma"], row["dracula"], row["walden"]]
    assert recommend(artefact, Wish(basket)) == recommend(artefact, Wish([*basket[::-1], basket[0]]))


def test_a_written_reason_is_the_text_of_that_very_pair(artefact, row):
    found = recommend(artefact, Wish([row["treasure-island"]], count=30))
    written = {one.row: one.reason for one in found if one.reason.kind == "written"}
    reason = written[row["the-coral-island"]]
    assert reason.because == "treasure-island" and reason.text.startswith("Boys, an island and pirates;")


def test_reasons_are_faithful_and_the_measure_can_tell(artefact, monkeypatch):
    likes = Books().open().likes
    assert measure(artefact, likes, users=40, seed=0)["faithful"] > 0.85
    real = artefact.scorer.contributions
    monkeypatch.setattr(artefact.scorer, "contributions", lambda b, i: real(b, i).max() - real(b, i))
    assert measure(artefact, likes, users=40, seed=0)["faithful"] < 0.2, "reasons that name the least item"


@pytest.mark.parametrize("model", [Ease(lam=20), Wmf(factors=8)])
def test_the_smallest_catalogue_of_ones_own_is_served(tmp_path, model):
    """Twenty items in another script, no texts, no edges, three likes a user: a list of pairs and titles."""
    rng = np.random.default_rng(0)
    users, items = np.repeat(np.arange(40), 3), rng.integers(20, size=120)
    likes = binary(users, items, (40, 20))
    catalogue = Catalogue([f"n{n}" for n in range(20)], [f"物語 {n}" for n in range(20)])
    scorer = model.fit(likes, catalogue, seed=0, threads=1)
    scorer.save(tmp_path / "model.safetensors")
    artefact = open_artefact(found(str(tmp_path), tmp_path, tmp_path / "scratch"))
    assert measure(artefact, likes, 10, 0) == {"reasons": 0.0}, "nobody has five titles"
    titles = recommend(artefact, Wish([0, 1], count=10))
    assert len(titles) == 10 and not {0, 1} & {one.row for one in titles}
    assert artefact.index.find("物語 7")[0] == 7


def test_reasons_of_a_model_that_is_no_sum_over_the_basket_are_faithful(tmp_path):
    """WMF's fold-in changes with every item: the terms of its sum name another item in one case of ten."""
    data = Books().open()
    artefact = open_artefact(
        build(tmp_path / "a", Wmf(factors=16).fit(data.likes, data.catalogue, seed=0, threads=1), Extras())
    )
    assert measure(artefact, data.likes, 20, 0)["faithful"] > 0.9
