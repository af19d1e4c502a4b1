"""Map and reduce on small tables with known answers; every raw row is kept or has one reason."""

import ibis
import numpy as np
import pytest

from lineshaft.recommend.pipeline import reduce, split
from lineshaft.recommend.pipeline.records import TABLES, arrow

LONG = "the same long text of two pages, word for word"


def table(name, *rows):
    return ibis.memtable(arrow(name, [dict(zip(TABLES[name], row)) for row in rows]))


ITEMS = [
    ("a", "A", "", "x", 1999.0, 5.0, "p1"),
    (" a ", "A", "longer", "x", 1999.0, 5.0, "p2"),
    ("b", "B", LONG, "", None, None, "p3"),
    ("c", "B", LONG, "", None, None, "p4"),
    ("d", "D", "short", "", None, None, "p5"),
    ("e", "D", "short", "", None, None, "p6"),
    ("", "F", "", "", None, None, "p7"),
    (None, "F", "", "", None, None, "p8"),
    ("g", " ", "", "", None, None, "p9"),
]


@pytest.fixture
def labelled():
    return reduce.items(table("items", *ITEMS))


def reasons(expression):
    rows = reduce.dropped(expression, "t").execute()
    return dict(zip(rows["reason"], rows["rows"].astype(int)))


def test_items_are_merged_by_id_and_by_text(labelled):
    kept = reduce.kept(labelled, "item").execute()
    assert kept["item"].tolist() == ["a", "b", "d", "e"]
    assert kept["text"].tolist()[0] == "longer"
    assert reasons(labelled) == {
        "no id": 2,
        "no title": 1,
        "the same id again": 1,
        "the title and text of another id": 1,
    }


def test_edges_are_turned_counted_and_made_canonical(labelled):
    raw = table(
        "edges",
        ("b", "a", "sequel", None, "", "p"),
        ("a", "c", "prequel", None, "", "q"),
        ("a", "d", "recommendation", 2.0, "", "p"),
        ("a", "d", "recommendation", 1.0, "said", "q"),
        ("a", "d", "recommendation", 0.0, "", "q"),
        ("b", "c", "related", None, "", "p"),
        ("a", "unknown", "related", None, "", "p"),
    )
    found = reduce.edges(raw, reduce.aliases(labelled))
    kept = reduce.kept(found, "source", "target", "kind").execute()
    rows = kept[["source", "target", "kind", "weight"]].values.tolist()
    assert rows == [["a", "d", "recommendation", 2.0], ["b", "a", "sequel", 2.0]]
    assert reasons(found) == {
        "a weight of 0 or below": 1,
        "an end that is not in the catalogue": 1,
        "an item with itself": 1,
        "the same edge again": 2,
    }


def test_what_is_planned_given_up_or_disliked_is_no_like(labelled):
    raw = table(
        "interactions",
        ("u", "a", 8.0, "completed", "p"),
        ("u", "a", 9.0, None, "q"),
        ("u", "b", None, "Plan to Watch", "p"),
        ("u", "c", 0.0, None, "p"),
        ("u", "d", 10.0, "Dropped", "p"),
        ("u", "e", 3.0, "completed", "p"),
        ("v", "e", -1.0, "completed", "p"),
        ("", "e", 7.0, None, "p"),
        ("v", "zzz", 7.0, None, "p"),
    )
    found = reduce.interactions(raw, reduce.aliases(labelled), liked_from=5)
    kept = reduce.kept(found, "user", "item").execute()
    assert kept[["user", "item", "rating"]].values.tolist() == [["u", "a", 9.0], ["u", "b", 0.0]]
    assert sum(reasons(found).values()) == 7 and set(reasons(found)) == {
        "an item that is not in the catalogue",
        "a rating below 0",
        "given up by the user",
        "no user or no item",
        "planned, not liked",
        "rated too low to be a like",
        "the same pair again",
    }


def pairs(users: int, items: int):
    rows = [(f"u{u}", f"i{(u * 7 + 3 * k) % 97}", 0.0, None, "") for u in range(users) for k in range(items)]
    return table("interactions", *rows).select("user", "item", "rating")


def test_every_user_gives_a_fifth_to_the_test_and_a_tenth_to_the_validation():
    found = split.split(pairs(60, 20), seed=0).execute()
    assert (found.groupby("user")["fold"].value_counts().unstack() == [4, 14, 2]).all(axis=None)
    assert (split.split(pairs(10, 4), seed=0).execute()["fold"] == "train").all()


def test_a_split_depends_on_the_seed_and_not_on_other_rows():
    def test_pairs(rows, seed):
        found = split.split(rows, seed).execute()
        return set(map(tuple, found[found["fold"] == "test"][["user", "item"]].values.tolist()))

    whole = test_pairs(pairs(60, 20), 0)
    assert whole == test_pairs(pairs(60, 20), 0) != test_pairs(pairs(60, 20), 1)
    assert {pair for pair in whole if pair[0] == "u7"} == test_pairs(
        pairs(60, 20).filter(ibis._.user == "u7"), 0
    )


def test_masks_of_users_with_the_same_items_are_not_correlated():
    """What a linear hash failed: the same items were held out for all users."""
    rows = [(f"u{u}", f"i{i}", 0.0, None, "") for u in range(200) for i in range(40)]
    found = split.split(table("interactions", *rows).select("user", "item", "rating"), 3).execute()
    masks = found.assign(held=found["fold"] == "test").pivot(index="user", columns="item", values="held")
    correlations = np.corrcoef(masks.to_numpy(float))[np.triu_indices(200, 1)]
    assert abs(correlations.mean()) < 0.01 and np.abs(correlations).mean() < 0.16


def test_pseudonyms_keep_people_apart_and_need_the_secret():
    rows = pairs(50, 3)
    one, other = (split.pseudonymised(rows, secret).execute()["user"] for secret in ("a", "b"))
    assert one.nunique() == 50 and not set(one) & set(other) and not set(one) & {f"u{n}" for n in range(50)}
