"""The adapters read the published files: counts, projections, nothing shared between training and test."""

import pytest

from lineshaft.dialogue import data, metrics
from lineshaft.dialogue.corpora import public, woz2, xrisawoz
from lineshaft.dialogue.corpus.dialogue import Slot
from lineshaft.dialogue.corpus.files import read_json
from lineshaft.dialogue.corpus.state import parse, parse_acts, render, render_acts
from lineshaft.engine import RequestError


def turns(dialogues):
    return sum(len(dialogue.turns) for dialogue in dialogues)


@pytest.fixture(scope="module")
def xrisawoz_corpus(request):
    import os
    from pathlib import Path

    if not os.environ.get("LINESHAFT_DATA"):
        pytest.skip("LINESHAFT_DATA is not set")
    return xrisawoz.load(Path(os.environ["LINESHAFT_DATA"]) / data.XRISAWOZ.folder, seed=0)


@pytest.mark.data
def test_xrisawoz_has_its_published_counts(xrisawoz_corpus):
    material, _ = xrisawoz_corpus
    sizes = [(len(part), turns(part)) for part in (material.source, material.target, material.validation)]
    assert sizes == [(600, 4058), (450, 3471), (100, 659)]


@pytest.mark.data
def test_xrisawoz_folds_test_every_dialogue_once(xrisawoz_corpus):
    material, _ = xrisawoz_corpus
    assert material.tested() == list(range(450))
    for fold in material.folds:
        assert (len(fold.unlabelled), len(fold.test)) == (300, 150)
        assert not set(fold.unlabelled) & set(fold.test)


@pytest.mark.data
def test_xrisawoz_source_is_english_on_both_sides(xrisawoz_corpus):
    material, _ = xrisawoz_corpus
    values = [v for d in material.source for t in d.turns for value in t.state.values() for v in value.values]
    assert sum(value.isascii() or "ô" in value or "é" in value for value in values) / len(values) > 0.97
    assert material.source[0].turns[0].user.startswith("i'm a local in suzhou")


@pytest.mark.data
def test_xrisawoz_copying_is_right_on_half_of_the_turns(xrisawoz_corpus):
    material, ontology = xrisawoz_corpus
    trivial = metrics.score_trivial(ontology, material.target)
    assert trivial["copy"][3].mean() == pytest.approx(0.542, abs=0.01)
    assert trivial["empty"][0].mean() < 0.02


@pytest.mark.data
def test_xrisawoz_lines_read_back(xrisawoz_corpus):
    material, _ = xrisawoz_corpus
    for dialogue in material.source + material.target + material.validation:
        for turn in dialogue.turns:
            assert parse(render(turn.state)) == turn.state
            assert sorted(map(repr, parse_acts(render_acts(turn.acts)))) == sorted(map(repr, turn.acts))


@pytest.mark.data
def test_woz2_has_its_published_counts(data_root):
    material, ontology = woz2.load(data_root / data.WOZ2.folder, seed=0)
    assert (len(material.source), turns(material.source)) == (300, 1240)
    unlabelled = [material.target[index] for index in material.folds[0].unlabelled]
    test = [material.target[index] for index in material.folds[0].test]
    assert (turns(unlabelled), turns(test), turns(material.validation)) == (1296, 1646, 830)
    assert ontology.closed[Slot("restaurant", "area")][-1] == "dontcare"


@pytest.mark.data
def test_woz2_halves_do_not_overlap(data_root):
    material, _ = woz2.load(data_root / data.WOZ2.folder, seed=0)
    unlabelled = {material.target[index].id for index in material.folds[0].unlabelled}
    assert not unlabelled & {dialogue.id for dialogue in material.source}


def test_a_chinese_value_is_projected_by_its_slot_first():
    project = xrisawoz.projection({"hotel": {"star": {"五 星": "5-star"}}, "pc": {"class": {"五星": "five"}}})
    assert project(Slot("hotel", "star"), "五星") == "5-star"
    assert project(Slot("pc", "class"), "五星") == "five"
    assert project(Slot("tv", "type"), "五星") == "5-star"
    assert project(Slot("tv", "type"), "四星") == "四星"


def test_a_broken_file_is_named(tmp_path):
    path = tmp_path / "woz_test_en.json.xz"
    path.write_bytes(b"not xz")
    with pytest.raises(RequestError, match=r"woz_test_en.json.xz.*fetch it again"):
        read_json(path)


@pytest.mark.data
def test_the_corrected_dialogues_are_not_in_their_source(data_root):
    material, ontology = public.multiwoz(data_root / data.MULTIWOZ.folder, seed=0)
    assert (len(material.source), len(material.target), len(material.validation)) == (749, 200, 50)
    known = {dialogue.id for dialogue in material.source}
    assert not known & {dialogue.id for dialogue in [*material.target, *material.validation]}
    assert material.tested() == list(range(200))
    assert ontology.several, "some values are written with a bar"
