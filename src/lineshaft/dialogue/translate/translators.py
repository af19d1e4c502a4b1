"""Translators: a table of sentences, Apertium, or any translation model by its Hugging Face name.

A translator maps texts to texts, in order: a part with `name` and `translate(texts)`.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field

from lineshaft.dialogue.corpus.text import fold
from lineshaft.engine import Part, RequestError

BATCH = 32


class Table(Part):
    """A file of translations: {"sentence": "translation"}, or lines with a tab between."""

    name: Literal["table"] = "table"
    file: str = Field("", description="JSON object, or text with one tab a line")
    missing: Literal["error", "keep"] = Field("error", description="what to do with a text that is not there")

    def translate(self, texts: Sequence[str]) -> list[str]:
        if not self.file:
            raise RequestError("name the table: translator.file=FILE, or translator=apertium, translator=hf")
        known = {fold(key): value for key, value in _pairs(Path(self.file)).items()}
        unknown = [text for text in texts if text.strip() and fold(text) not in known]
        if unknown and self.missing == "error":
            raise RequestError(
                f"{self.file}: {len(unknown)} of {len(texts)} texts have no translation, the first is "
                f"{unknown[0]!r}; add them, or keep them: translator.missing=keep"
            )
        return [known.get(fold(text), text) for text in texts]


class Apertium(Part):
    """Apertium's rules on this machine; several pairs in a row go by way of other languages."""

    name: Literal["apertium"] = "apertium"
    pairs: tuple[str, ...] = Field(("spa-eng",), description='pairs in order: \'["ita-spa","spa-eng"]\'')

    def translate(self, texts: Sequence[str]) -> list[str]:
        if shutil.which("apertium") is None:
            raise RequestError("apertium is not installed: apt-get install apertium and the pairs it needs")
        lines = [" ".join(text.split()) for text in texts]
        for pair in self.pairs:
            lines = _apertium(pair, lines)
        return lines


class HuggingFace(Part):
    """A translation or sequence-to-sequence model by its Hugging Face name, or a folder that holds one."""

    name: Literal["hf"] = "hf"
    model: str = Field("", description="such as Helsinki-NLP/opus-mt-zh-en, or a folder")
    prefix: str = Field("", description="put before every text, as T5 models want it")
    longest: int = Field(128, ge=8, description="tokens of a translation at most")

    def translate(self, texts: Sequence[str]) -> list[str]:
        import torch

        from lineshaft.dialogue.annotators.hub import load

        tokenizer, model = load(self.model)
        found: list[str] = []
        for begin in range(0, len(texts), BATCH):
            inputs = [self.prefix + text for text in texts[begin : begin + BATCH]]
            encoded = tokenizer(inputs, return_tensors="pt", padding=True, truncation=True)
            with torch.inference_mode():
                written = model.generate(**encoded, max_new_tokens=self.longest, do_sample=False)
            found += tokenizer.batch_decode(written, skip_special_tokens=True)
        return found


Translator = Table | Apertium | HuggingFace


def _pairs(path: Path) -> dict[str, str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix == ".json":
            found = json.loads(text)
            if not isinstance(found, dict):
                raise ValueError("an object is needed")
            if wrong := [key for key, value in found.items() if not isinstance(value, str)]:
                raise ValueError(f"the translation of {wrong[0]!r} is no text")
            return found
        lines = [line.split("\t") for line in text.splitlines() if line.strip()]
    except (OSError, ValueError) as error:
        raise RequestError(f"{path}: not a table of translations ({error})") from error
    for number, line in enumerate(lines, 1):
        if len(line) != 2:
            raise RequestError(f"{path}:{number}: one tab is needed between text and translation")
    return dict(lines)


def _apertium(pair: str, lines: Sequence[str]) -> list[str]:
    """Each text is a line; blank lines keep Apertium from joining sentences."""
    done = subprocess.run(
        ["apertium", "-u", pair], input="\n\n".join(lines), capture_output=True, text=True, timeout=600
    )
    if done.returncode:
        reason = done.stderr.strip().splitlines()[:1] or ["no reason given"]
        raise RequestError(f"apertium {pair} failed: {reason[0]}; `apertium -l` lists the pairs installed")
    found = done.stdout.split("\n\n")
    if len(found) != len(lines):
        raise RequestError(f"apertium {pair} returned {len(found)} texts for {len(lines)}")
    return [line.strip() for line in found]
