"""Values are found in text of any script; expected values are those of the public corpora."""

import json
import lzma
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineshaft.dialogue.corpus.dialogue import Slot, Value
from lineshaft.dialogue.corpus.ontology import INDIFFERENT, Ontology, observed, surfaces
from lineshaft.dialogue.corpus.text import fold, invisible, plain, words

SLOT = Slot("inn", "name")


def found(text, *values):
    ontology = Ontology(surfaces([(SLOT, value, ()) for value in values]), {})
    said = words(text)
    return [
        (text[said[m.start].start : said[m.end - 1].end], r[1])
        for m in ontology.mentions(said)
        for r in m.readings
    ]


@pytest.mark.parametrize(
    ("text", "value", "heard"),
    [
        ("我希望去工业园区玩，想找个单人游的景点。", "工业园区", "工业园区"),
        ("那请帮我推荐中等价位的酒店吧", "中等", "中等"),
        ("네, 어떤 시기의 일본 TV 프로그램을 찾으시나요?", "일본 TV 프로그램", "일본 TV 프로그램"),
        ("쑤저우에서 식당을 찾아요", "쑤저우", "쑤저우"),
        ("मैं सूज़ौ से हूँ", "सूज़ौ", "सूज़ौ"),
        ("मेरा दोस्त पानी के शहर में है", "पानी के शहर", "पानी के शहर"),
        ("أُرِيدُ فُنْدُقَ الهِلال", "فندق الهلال", "فُنْدُقَ الهِلال"),
        ("أريد غرفة بالقاهرة", "القاهرة", "بالقاهرة"),
        ("un hôtel près de l\u2019Opéra", "Opéra", "Opéra"),
        ("un hotel vicino all\u02bcopera", "opera", "opera"),
        ("Suzhou\u2019s best", "suzhou", "Suzhou"),
        ("ＡＢＣ　Ｈｏｔｅｌ please", "abc hotel", "ＡＢＣ　Ｈｏｔｅｌ"),
        ("the king\u2010size room", "king-size", "king\u2010size"),
        ("cafe\u0301 noir", "café noir", "cafe\u0301 noir"),
        ("ราคาถูกมาก", "ราคาถูก", "ราคาถูก"),
        ("go\u200bod \u202bwine\u202c", "good wine", "go\u200bod \u202bwine\u202c"),
        ("東京タワーに行きたい", "東京タワー", "東京タワー"),
        ("I take 2-star", "2-star", "2-star"),
    ],
)
def test_a_value_is_found_as_it_is_written(text, value, heard):
    assert [text for text, _ in found(text, value)] == [heard]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("서울특별시", "울특"),
        ("서울역앞", "서울역앞길"),
        ("recatering", "cat"),
        ("हिंदीभाषा", "हिंदी"),
        ("doing", "do"),
    ],
)
def test_a_part_of_a_written_word_is_no_mention(text, value):
    assert found(text, value) == []


def test_decomposed_hangul_is_the_same_word():
    decomposed = unicodedata.normalize("NFD", "식당을 찾아요")
    assert [name for _, name in found(decomposed, "식당")] == ["식당"]


@given(st.text(max_size=40))
def test_words_stand_where_they_say(text):
    place = 0
    for word in words(text):
        assert place <= word.start < word.end <= len(text)
        assert word.text
        place = word.end


@given(st.text(max_size=30))
def test_folding_twice_changes_nothing_more(text):
    assert fold(fold(text)) == fold(text)


def test_what_does_not_show_does_not_count():
    assert plain("Old\u200b Town\u200f") == plain("old town") == plain("The  Old Town")
    assert fold("苏 州") == "苏州" and fold("hotel A") == "hotel a"
    assert invisible("a\u200bb") == ["ZERO WIDTH SPACE"]


def test_indifference_and_absence_are_known_in_any_wording():
    ontology = Ontology({}, {})
    for wording in ("don\u2019t care", "do n't care", "dontcare", "不在意"):
        assert ontology.canonical(SLOT, wording) == INDIFFERENT
    assert ontology.canonical_state({SLOT: Value(("none",))}) == {}
    assert ontology.canonical_state({SLOT: Value(("not mentioned",))}) == {}


def test_a_long_turn_is_read_in_a_second():
    values = [f"place {number}" for number in range(300)]
    ontology = Ontology(surfaces([(SLOT, value, ()) for value in values]), {})
    text = " ".join(f"we saw place {number % 300} yesterday" for number in range(4000))
    start = time.process_time()
    assert len(ontology.mentions(words(text))) == 4000
    assert time.process_time() - start < 1


@pytest.mark.data
@pytest.mark.parametrize(("language", "share"), [("en", 0.95), ("ko", 0.9), ("hi", 0.95), ("fr", 0.9)])
def test_values_of_the_few_shot_dialogues_are_found_in_their_utterances(language, share, data_root):
    """Spans that annotators marked in the user's words: found where they stand, in every script."""
    path = data_root / f"dialogue/xrisawoz/fewshot_original/{language}_fewshot.json.xz"
    with lzma.open(path, "rt") as file:
        dialogues = json.load(file)
    hits, total = 0, 0
    for turn in (turn for dialogue in dialogues for turn in dialogue["dialogue"]):
        said = turn["user_utterance"]
        marked = (
            said[1].values() if isinstance(said, list) else [turn["belief_state"]["turn_inform"].values()]
        )
        text = said[0] if isinstance(said, list) else said
        for value in {value for slot in marked for value in slot}:
            if fold(value) in fold(text):
                total += 1
                hits += bool(found(text, value))
    assert total > 300 and hits / total > share


@pytest.mark.data
def test_the_observed_ontology_knows_what_training_shows_and_nothing_else(data_root):
    from lineshaft.dialogue.corpus.read import read

    dialogues = read(data_root / "dialogue/woz2/woz_train_en.json.xz", "en").dialogues
    ontology = observed(dialogues[:200])
    area = Slot("restaurant", "area")
    assert set(ontology.closed[area]) == {"centre", "north", "south", "east", "west", INDIFFERENT}
    seen = {
        v
        for d in dialogues[:200]
        for t in d.turns
        for v in t.state.get(Slot("restaurant", "food"), Value(("x",))).values
    }
    assert ontology.values[Slot("restaurant", "food")] <= {plain(value) for value in seen} | {INDIFFERENT}
