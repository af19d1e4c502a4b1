"""Mirrors of a run's metrics in a tracker; metrics.jsonl stays the truth."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from lineshaft.engine.store import Folder


class Sink(Protocol):
    """Where rows go besides metrics.jsonl."""

    def log(self, step: int, metrics: Mapping[str, float]) -> None: ...

    def close(self, result: Mapping[str, float]) -> None: ...


def open_sinks(names: Sequence[str], folder: Folder) -> list[Sink]:
    """The sinks named, opened for one run."""
    raise NotImplementedError
