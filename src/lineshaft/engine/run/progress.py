"""Progress of long loops: one line in the terminal, in `ls` and, now and then, in log.txt."""

import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sized
from pathlib import Path
from typing import TextIO, TypeVar

from lineshaft.engine.run.store import write

T = TypeVar("T")
SHOW_EVERY = 0.5
LOG_EVERY = 30.0


class Progress:
    """The loops a run is in, outermost first."""

    def __init__(self, file: Path, terminal: TextIO | None) -> None:
        self.file = file
        self.terminal = terminal
        self.loops: list[str] = []
        self.shown = self.logged = time.monotonic()

    def track(self, items: Iterable[T], what: str) -> Iterator[T]:
        """Yield the items and show how many were taken."""
        total = len(items) if isinstance(items, Sized) else None
        start, depth = time.monotonic(), len(self.loops)
        self.loops.append(what)
        try:
            for count, item in enumerate(items):
                self.loops[depth:] = [line(what, count, total, time.monotonic() - start)]
                self.show()
                yield item
        finally:
            del self.loops[depth:]

    def beat(self, step: int, metrics: Mapping[str, float]) -> None:
        """Show the last logged row of a run that does not use `run.progress`."""
        if not self.loops:
            self.show(" ".join([f"step {step}", *(f"{key} {value:.4g}" for key, value in metrics.items())]))

    def show(self, text: str = "") -> None:
        """The loops, or the text, in the terminal, for `ls`, and now and then as a line of the log."""
        now = time.monotonic()
        if now - self.shown < SHOW_EVERY:
            return
        self.shown, text = now, text or " · ".join(self.loops)
        write(self.file, json.dumps({"text": text}))
        if self.terminal is not None:
            self.draw(fitting(text, self.terminal))
        if now - self.logged >= LOG_EVERY:
            self.logged = now
            print(text, file=sys.stderr, flush=True)

    def draw(self, text: str) -> None:
        """Replace the last line of the terminal; stop drawing once it is closed."""
        try:
            assert self.terminal is not None
            self.terminal.write(f"\r\x1b[K{text}")
            self.terminal.flush()
        except OSError:
            self.terminal = None

    def clear(self) -> None:
        self.file.unlink(missing_ok=True)
        if self.terminal is not None:
            self.draw("")


def fitting(text: str, terminal: TextIO) -> str:
    """What fits in one line of the terminal: a longer one would wrap and could not be drawn over."""
    try:
        width = os.get_terminal_size(terminal.fileno()).columns
    except (OSError, ValueError):
        return text[:100]
    return text if len(text) < width or not width else text[: max(width - 2, 1)] + "…"


def line(what: str, count: int, total: int | None, seconds: float) -> str:
    """`epochs 3/20, 12 s left`."""
    done = f"{what} {count}" if total is None else f"{what} {count}/{total}"
    if not count or not total:
        return done
    return f"{done}, {clock(seconds / count * (total - count))} left"


def clock(seconds: float) -> str:
    """`4 s`, `3 min 20 s`, `2 h 05 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
