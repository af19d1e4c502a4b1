"""Mirrors of a run's metrics in a tracker; metrics.jsonl stays the truth.

A mirror is rebuilt from the run's files whenever an execution opens it, so that resuming, killing and
mirroring again later all end in one history, each step once. A tracker that fails never harms the run.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from lineshaft.engine.errors import RequestError, nearest

if TYPE_CHECKING:
    from lineshaft.engine.run.store import Folder


class Sink(Protocol):
    """Where rows go besides metrics.jsonl."""

    def log(self, step: int, metrics: Mapping[str, float]) -> None: ...

    def close(self) -> None: ...


class Tracker(Protocol):
    """One tracker's record of one run, opened empty; rows come in the order of steps."""

    def log(self, step: int, metrics: Mapping[str, float]) -> None: ...

    def close(self, result: Mapping[str, float], failed: bool) -> None: ...


def wandb(folder: Folder) -> Tracker:
    from lineshaft.engine.track.wandb import Wandb

    return Wandb(folder)


def tensorboard(folder: Folder) -> Tracker:
    from lineshaft.engine.track.tensorboard import Tensorboard

    return Tensorboard(folder)


TRACKERS: dict[str, Callable[[Folder], Tracker]] = {"wandb": wandb, "tensorboard": tensorboard}


def open_sinks(names: Sequence[str], folder: Folder) -> list[Sink]:
    """The sinks named, opened for one run."""
    return [Mirror(name, tracker(name), folder) for name in dict.fromkeys(names)]


def tracker(name: str) -> Callable[[Folder], Tracker]:
    """What opens a tracker, or the error that says how to get it."""
    if name not in TRACKERS:
        raise RequestError(f"unknown tracker {name[:80]}{nearest(name, TRACKERS)}")
    if importlib.util.find_spec(name) is None:
        raise RequestError(f"tracking to {name} needs a package: pip install 'lineshaft[track]'")
    return TRACKERS[name]


class Mirror:
    """A sink that opens its tracker at the first row, replays what was before, and gives up after a fault."""

    def __init__(self, name: str, opens: Callable[[Folder], Tracker], folder: Folder) -> None:
        self.name, self.opens, self.folder = name, opens, folder
        self.tracker: Tracker | None = None
        self.last = -1
        self.behind = self.broken = False

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        """Pass a row on; a step behind the last one waits until the end, since trackers only go forward."""
        self.guarded(lambda: self.forward(step, metrics))

    def forward(self, step: int, metrics: Mapping[str, float]) -> None:
        if self.tracker is None:
            self.tracker = self.opens(self.folder)
            replay(self.tracker, self.folder, before=step)
        if step < self.last:
            self.behind = True
            return
        self.last = step
        self.tracker.log(step, metrics)

    def close(self) -> None:
        """Finish the record; where rows were held back, write it again from the files."""
        self.guarded(self.finish)

    def finish(self) -> None:
        if self.tracker is not None:
            self.tracker.close(self.folder.result(), failed=bool(self.folder.error()))
        if self.tracker is None or self.behind:
            mirror(self.folder, self.opens)

    def guarded(self, act: Callable[[], None]) -> None:
        if self.broken:
            return
        try:
            act()
        except Exception as error:
            self.broken = True
            fault = f"{self.name} failed ({type(error).__name__}: {str(error)[:300]})"
            later = f"the run goes on without it; `lineshaft sync --to {self.name}` mirrors it later"
            print(f"{fault}; {later}", file=sys.stderr, flush=True)


def mirror(folder: Folder, opens: Callable[[Folder], Tracker]) -> None:
    """A run's whole record written from its files."""
    record = opens(folder)
    replay(record, folder)
    record.close(folder.result(), failed=bool(folder.error()))


def replay(record: Tracker, folder: Folder, before: float = float("inf")) -> None:
    for row in folder.metrics():
        if row["step"] < before:
            record.log(row["step"], {k: v for k, v in row.items() if k != "step"})
