"""Vectors of texts are computed once and kept in the user's cache, under a hash of texts and method."""

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np


def kept(texts: Sequence[str], method: str, compute: Callable[[], np.ndarray]) -> np.ndarray:
    """What `compute` gives, as float32; a cache that cannot be written is done without."""
    path = folder() / f"{fingerprint(texts, method)}.npy"
    if path.is_file():
        return np.asarray(np.load(path, allow_pickle=False), np.float32)
    found = compute()
    temporary = path.with_suffix(f".{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            np.save(file, found)
        os.replace(temporary, path)
    except OSError:
        temporary.unlink(missing_ok=True)
    return found


def fingerprint(texts: Sequence[str], method: str) -> str:
    """Equal for equal texts in equal order under an equal method alone."""
    digest = hashlib.sha256(method.encode())
    for text in texts:
        digest.update(text.encode() + b"\0")
    return digest.hexdigest()[:32]


def folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "lineshaft" / "texts"
