"""The embedded corpus is what it says: repeatable, exact on both sides, noisier where translated."""

from lineshaft.dialogue import sample
from lineshaft.dialogue.corpora import sample as adapter
from lineshaft.dialogue.corpus.state import parse
from lineshaft.dialogue.corpus.text import words


def test_every_value_has_its_own_word():
    for domain, slot in {(d, s) for d, s, _, _ in sample.surfaces()}:
        named = [name for d, s, _, names in sample.surfaces() if (d, s) == (domain, slot) for name in names]
        assert len(set(named)) == len(named)


def test_the_same_seed_gives_the_same_dialogues():
    assert sample.dialogues(5, 3, translated=False) == sample.dialogues(5, 3, translated=False)
    assert sample.dialogues(5, 3, translated=False) != sample.dialogues(5, 4, translated=False)


def test_states_name_known_values():
    _, ontology = adapter.load(0)
    for each in sample.dialogues(20, 0, translated=False):
        for _, _, line in each.turns:
            assert all(value.values[0] in ontology.values[slot] for slot, value in parse(line).items())


def test_the_translator_knows_fewer_words():
    sides = [
        {
            word.text
            for each in sample.dialogues(200, 0, translated)
            for user, _, _ in each.turns
            for word in words(user)
        }
        for translated in (True, False)
    ]
    assert len(sides[0]) < 0.75 * len(sides[1])


def test_no_dialogue_is_both_trained_and_tested_on():
    material, _ = adapter.load(0)
    for fold in material.folds:
        assert not set(fold.unlabelled) & set(fold.test)
