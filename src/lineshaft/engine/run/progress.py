"""Progress of long loops: one line in the terminal, in `ls` and, now and then, in log.txt."""

import json
import sys
import time
from collections.abc import Iterable, Iterator, Sized
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
        """The items, their progress shown as they are taken."""
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

    def show(self) -> None:
        now = time.monotonic()
        if now - self.shown < SHOW_EVERY:
            return
        self.shown, text = now, " · ".join(self.loops)
        write(self.file, json.dumps({"text": text}))
        if self.terminal is not None:
            self.terminal.write(f"\r\x1b[K{text[:100]}")
            self.terminal.flush()
        if now - self.logged >= LOG_EVERY:
            self.logged = now
            print(text, file=sys.stderr, flush=True)

    def clear(self) -> None:
        self.file.unlink(missing_ok=True)
        if self.terminal is not None:
            self.terminal.write("\r\x1b[K")
            self.terminal.flush()


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
