"""A graceful stop: a signal or a file asks for it, the run saves and ends at its next checkpoint."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

ASKING = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR2, signal.SIGHUP)
"""Sent by a scheduler, by a person, by Slurm, and when a terminal is closed."""


def asking() -> list[signal.Signals]:
    """The signals that ask for a stop; under `nohup` SIGHUP is ignored."""
    return [n for n in ASKING if n != signal.SIGHUP or signal.getsignal(n) != signal.SIG_IGN]


class Paused(BaseException):
    """The run saved its state and ends; the same command resumes it. Experiments must not catch it."""


class Stop:
    """Whether somebody asked. ASKING signals do; a second Ctrl-C interrupts at once.

    Stops nest: a parent run computed within a run, a run within a job. What asks the outer one asks the inner
    one, and a signal reaches both, so that the outer one knows why the inner one ended.
    """

    def __init__(self, file: Path | None = None) -> None:
        self.file = file
        self.outer: Stop | None = None
        self.signals: set[int] = set()
        self.interrupts = 0

    @property
    def asked(self) -> bool:
        return (
            bool(self.signals)
            or (self.file is not None and self.file.exists())
            or (self.outer is not None and self.outer.asked)
        )

    def receive(self, number: int, frame: FrameType | None) -> None:
        self.signals.add(number)
        if self.outer is not None:
            self.outer.receive(number, frame)
        self.interrupts += number == signal.SIGINT
        if self.interrupts > 1:
            raise KeyboardInterrupt

    def clear(self) -> None:
        """Remove the stop file: it was meant for this execution or an earlier one."""
        if self.file is not None:
            self.file.unlink(missing_ok=True)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Handle the signals during a run; restore the earlier handlers afterwards."""
        self.clear()
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {n: signal.signal(n, self.receive) for n in asking()}
        listener = getattr(before[signal.SIGUSR2], "__self__", None)
        self.outer = listener if isinstance(listener, Stop) else None
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
