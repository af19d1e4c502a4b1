"""Standard output and error of a run, caught at the level of file descriptors, in log.txt."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO


@contextmanager
def captured(path: Path, echo: bool) -> Iterator[None]:
    """Everything the process prints goes to `path`; with `echo` to the terminal's error as well.

    Python's own streams are replaced too: in notebooks and test runners they do not write to descriptors.
    """
    flush()
    kept, streams = (os.dup(1), os.dup(2)), (sys.stdout, sys.stderr)
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    start = os.fstat(file).st_size
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.close(file)
    follower = Follower(path, start, kept[1]) if echo else None
    try:
        with line_buffered(1) as sys.stdout, line_buffered(2) as sys.stderr:
            yield
    finally:
        sys.stdout, sys.stderr = streams
        os.dup2(kept[0], 1)
        os.dup2(kept[1], 2)
        if follower:
            follower.finish()
        for handle in kept:
            os.close(handle)


def line_buffered(descriptor: int) -> TextIO:
    return os.fdopen(os.dup(descriptor), "w", buffering=1, encoding="utf-8", errors="backslashreplace")


def flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()


class Follower:
    """A thread that copies what is appended to a file to a descriptor."""

    def __init__(self, path: Path, start: int, target: int) -> None:
        self.file = path.open("rb")
        self.file.seek(start)
        self.target = target
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.follow, daemon=True)
        self.thread.start()

    def follow(self) -> None:
        while not self.ended.wait(0.1):
            self.copy()

    def copy(self) -> None:
        if data := self.file.read():
            with suppress(OSError):  # the terminal may have been closed; the file has it all
                os.write(self.target, b"\r\x1b[K" + data if os.isatty(self.target) else data)

    def finish(self) -> None:
        self.ended.set()
        self.thread.join()
        self.copy()
        self.file.close()
