"""A sequence-to-sequence model from a folder annotates end to end: a tiny one with random weights."""

import numpy as np
import pytest
import torch

from lineshaft.dialogue.annotators.line_text import source, written
from lineshaft.dialogue.annotators.scene import scene
from lineshaft.dialogue.annotators.seq2seq import Seq2seq
from lineshaft.dialogue.corpora import sample
from lineshaft.dialogue.corpus import jsonl
from lineshaft.dialogue.corpus.dialogue import Act, Dialogue, Slot, Turn, Value
from lineshaft.dialogue.corpus.ontology import Ontology, surfaces
from lineshaft.dialogue.corpus.state import Update
from lineshaft.dialogue.experiments import annotate
from lineshaft.engine import testing

PRICE = Slot("inn", "price range")
ONTOLOGY = Ontology(surfaces([(PRICE, "cheap", []), (PRICE, "dear", [])]), {})


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A T5 of one layer and a tokenizer of whole words, as a folder."""
    transformers = pytest.importorskip("transformers")
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    home = tmp_path_factory.mktemp("tiny")
    turns = [turn for dialogue in sample.load(0)[0].source for turn in dialogue.turns]
    lines = [text for turn in turns for text in (turn.user, written(Update(turn.state)))]
    lines += ["DST: <state> <endofstate> <history> AGENT_ACTS: USER: <endofhistory>"]
    lines += ["null request price_range cheap dear"]
    tokenizer = Tokenizer(models.WordLevel(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    special = ["<pad>", "</s>", "<unk>"]
    tokenizer.train_from_iterator(lines, trainers.WordLevelTrainer(special_tokens=special))
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    )
    fast.save_pretrained(home)
    config = transformers.T5Config(
        vocab_size=len(fast),
        d_model=64,
        d_kv=16,
        d_ff=128,
        num_layers=2,
        num_heads=4,
        decoder_start_token_id=0,
    )
    torch.manual_seed(0)
    transformers.T5ForConditionalGeneration(config).save_pretrained(home)
    return home


def dialogues():
    """The user's word is the price, so a model can learn it by heart."""
    return [
        Dialogue(f"d{i}", (Turn(name, {PRICE: Value((name,))}, (Act("inn", "request", "price range"),)),))
        for i, name in enumerate(["cheap", "dear"] * 8)
    ]


def test_turns_are_written_as_lines_whose_names_are_one_word():
    turn = dialogues()[0]
    before, _, after = source(scene(turn, 0), {}).partition(" AGENT_ACTS: ")
    assert before == "DST: <state> null <endofstate> <history>"
    assert after == "( inn ) request price_range USER: cheap <endofhistory>"
    assert written(Update(turn.turns[0].state)) == '( inn ) price_range equal_to " cheap "'


def test_a_tiny_model_learns_by_heart_and_repeats_exactly(tiny):
    learner = Seq2seq(model=str(tiny), epochs=40, lr=5e-3, batch=8).learner(ONTOLOGY, [])
    pairs = learner.prepare(learner.examples(dialogues()))
    model = learner.fit([pairs], [learner.ones(pairs)], 0)
    found = model.roll_out(dialogues(), [0.1] * 16)
    assert [each[0].state for each in found] == [dialogue.turns[0].state for dialogue in dialogues()]
    assert all(0 < each[0].confidence <= 1 for each in found)
    given = model.given([(dialogue, 0) for dialogue in dialogues()], 0.1)
    assert [prediction.state for prediction in given] == [each[0].state for each in found]
    again = learner.fit([pairs.take(range(16))], [np.ones(16)], 0)
    repeated = again.given([(dialogue, 0) for dialogue in dialogues()], 0.1)
    assert [p.confidence for p in repeated] == [p.confidence for p in given]


def test_turns_of_weight_nothing_teach_nothing(tiny):
    learner = Seq2seq(model=str(tiny), epochs=40, lr=5e-3, batch=8).learner(ONTOLOGY, [])
    pairs = learner.prepare(learner.examples(dialogues()))
    cheap = np.array([1.0, 0.0] * 8)
    model = learner.fit([pairs], [cheap], 0)
    found = model.roll_out(dialogues(), [0.1] * 16)
    assert {value.values[0] for each in found for value in each[0].state.values()} == {"cheap"}


def test_it_annotates_ones_own_files(tiny, tmp_path, monkeypatch):
    for name, size in {"SOURCE": 8, "UNLABELLED": 4, "TEST": 4, "VALIDATION": 4}.items():
        monkeypatch.setattr(sample, name, size)
    config = annotate.Config(annotator=Seq2seq(model=str(tiny), epochs=1, batch=8, longest=24))
    result = annotate.run(config, testing.FakeRun(tmp_path))
    assert result["turns"] > 0
    reading = jsonl.read(tmp_path / "annotated.jsonl")
    assert len(reading.dialogues) == 4 and not [fault for fault in reading.faults if fault.dropped]
