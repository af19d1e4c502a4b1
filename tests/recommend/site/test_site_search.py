"""Titles are found in spite of errors, and nothing that is typed breaks the search."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineshaft.recommend.site.search import build, folded, opened


@pytest.mark.parametrize(
    ("typed", "title"),
    [
        ("treasure iland", "Treasure Island"),
        ("tresure isl", "Treasure Island"),
        ("THERESE RAQUIN", "Thérèse Raquin"),
        ("sherlok", "The Adventures of Sherlock Holmes"),
        ("wuthring hights", "Wuthering Heights"),
        ("dr jekyl", "Strange Case of Dr Jekyll and Mr Hyde"),
        ("karamasov", "The Brothers Karamazov"),
        ("tolstoi", "Anna Karenina"),
        ("prid", "Pride and Prejudice"),
    ],
)
def test_errors_are_forgiven(artefact, typed, title):
    found = artefact.items(artefact.index.find(typed))
    assert title in [item.title for item in found][:3]


def test_what_is_nothing_like_a_title_is_not_found(artefact):
    assert artefact.index.find("qqqq xxxx zzzz") == [] and artefact.index.find("") == []


def test_lists_mean_a_title_only_if_they_say_it(artefact):
    row = artefact.scorer.catalogue.row
    assert artefact.index.equal("anna   KARENINA!") == row["anna-karenina"]
    assert artefact.index.nearly("Ana Karenina") == row["anna-karenina"]
    assert artefact.index.nearly("Anna") is None


@given(st.text(max_size=80))
def test_no_text_breaks_it(artefact, typed):
    for row in artefact.index.find(typed):
        assert 0 <= row < len(artefact)


def test_other_scripts_are_searched_as_they_are_written():
    titles = ["進撃の巨人", "Война и мир", "Straße"]
    arrays = build(titles, [1, 1, 1])
    index = opened(arrays, titles, titles)
    assert [index.find(t)[:1] for t in ("進撃", "война", "strasse")] == [[0], [1], [2]]
    assert folded("Ünïted  States!") == "united states"


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("巨人", "進撃の巨人"),
        ("錬金", "鋼の錬金術師"),
        ("エヴァ", "新世紀エヴァンゲリオン"),
        ("もののけ", "もののけ姫"),
        ("進撃 の 巨人", "進撃の巨人"),
        ("الشمال", "موسم الهجرة إلى الشمال"),
        ("الف ليله", "ألف ليلة وليلة"),
        ("война", "Война и мир"),
        ("호랑", "호랑이의 눈"),
    ],
)
def test_parts_of_titles_in_other_scripts_are_found(typed, found):
    titles = ["進撃の巨人", "鋼の錬金術師", "新世紀エヴァンゲリオン", "もののけ姫", "千と千尋の神隠し"]
    titles += [
        "موسم الهجرة إلى الشمال",
        "ألف ليلة وليلة",
        "رجال في الشمس",
        "Война и мир",
        "호랑이의 눈",
        "Emma",
    ]
    likes = np.ones(len(titles), np.float32)
    index = opened(build(titles, likes), titles, titles)
    assert titles[index.find(typed)[0]] == found
