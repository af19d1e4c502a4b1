"""Values are found in text by their longest surface and compared by what they stand for."""

from lineshaft.dialogue.corpus.dialogue import Slot, Value
from lineshaft.dialogue.corpus.ontology import Ontology, surfaces
from lineshaft.dialogue.corpus.text import plain, words

AREA, FOOD = Slot("inn", "area"), Slot("eatery", "food")
ONTOLOGY = Ontology(
    surfaces([(AREA, "Old Town", ["the centre", "town"]), (FOOD, "town fish", []), (FOOD, "Yes", [])]),
    closed={},
    silent=frozenset(["yes"]),
)


def mentioned(text):
    return {(slot, value) for mention in ONTOLOGY.mentions(words(text)) for slot, value in mention.readings}


def test_canonical_values_ignore_case_articles_and_wording():
    assert ONTOLOGY.canonical(AREA, " The Centre ") == "old town"
    assert ONTOLOGY.canonical(AREA, "a Moon base") == "moon base"
    assert plain("An Inn") == "inn"


def test_states_are_equal_by_what_they_stand_for():
    state = {AREA: Value(("town",))}
    assert ONTOLOGY.canonical_state(state) == ONTOLOGY.canonical_state({AREA: Value(("Old Town",))})
    assert ONTOLOGY.canonical_state(state) != ONTOLOGY.canonical_state({AREA: Value(("town",), "not")})


def test_the_longest_mention_wins():
    assert mentioned("fish from Old Town, please") == {(AREA, "old town")}
    assert mentioned("Town fish!") == {(FOOD, "town fish")}


def test_silent_surfaces_are_not_looked_for():
    assert mentioned("yes") == set()
    assert ONTOLOGY.canonical(FOOD, "yes") == "yes"


def test_a_name_of_its_own_outranks_a_synonym():
    table = surfaces([(AREA, "north", ["far"]), (AREA, "far", [])])
    assert table[AREA] == {"far": "far", "north": "north"}
