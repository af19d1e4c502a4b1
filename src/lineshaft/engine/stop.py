"""A graceful stop: a signal or a file asks, the run answers at its next checkpoint."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType


class Paused(BaseException):
    """The run saved its state and ends; the same command resumes it. Never caught by an experiment."""


class Stop:
    """Whether somebody asked. SIGTERM, SIGINT and SIGUSR2 ask; a second Ctrl-C interrupts at once."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.signalled = False
        self.interrupts = 0

    @property
    def asked(self) -> bool:
        return self.signalled or self.file.exists()

    def receive(self, number: int, frame: FrameType | None) -> None:
        self.signalled = True
        self.interrupts += number == signal.SIGINT
        if self.interrupts > 1:
            raise KeyboardInterrupt

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Handle the signals for the length of a run; the handlers of before return after it."""
        self.file.unlink(missing_ok=True)
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {n: signal.signal(n, self.receive) for n in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR2)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
