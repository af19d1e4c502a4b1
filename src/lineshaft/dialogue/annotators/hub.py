"""Models by their Hugging Face name, or from a folder."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from lineshaft.engine import RequestError


@lru_cache(maxsize=2)
def load(name: str) -> tuple[Any, Any]:
    """(tokenizer, model) of a sequence-to-sequence model."""
    if not name:
        raise RequestError("name a model: a Hugging Face name such as google/mt5-small, or a folder")
    try:
        from transformers import AutoModelForSeq2SeqLM, AutoTokenizer
    except ModuleNotFoundError as error:
        raise RequestError("models by name need transformers: pip install 'lineshaft[dialogue]'") from error
    try:
        tokenizer = AutoTokenizer.from_pretrained(name)
        model = AutoModelForSeq2SeqLM.from_pretrained(name)
    except (OSError, ValueError) as error:
        where = "folder" if Path(name).exists() else "name (is the hub within reach?)"
        reason = str(error).splitlines()[0]
        raise RequestError(f"no sequence-to-sequence model under the {where} {name}: {reason}") from error
    return tokenizer, model.eval()
