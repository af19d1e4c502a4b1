"""Standard streams that can be written to, however a command was started and wherever its output goes."""

import os
import sys
from contextlib import suppress
from typing import TextIO


def prepare_streams() -> None:
    """Open what is closed, as under cron, and write characters that a terminal lacks as their codes.

    A closed descriptor would be given to the next file that is opened: what is printed would end up in it.
    """
    while (unused := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(unused, True)
    os.close(unused)
    sys.stdin = sys.stdin or os.fdopen(0, closefd=False)
    sys.stdout, sys.stderr = usable(sys.stdout, 1), usable(sys.stderr, 2)


def usable(stream: TextIO | None, descriptor: int) -> TextIO:
    """The stream, or one for its descriptor where Python found that closed."""
    stream = stream or os.fdopen(descriptor, "w", closefd=False)
    with suppress(AttributeError):  # a stand-in of a notebook or a test
        stream.reconfigure(errors="backslashreplace")  # type: ignore[attr-defined]
    return stream


def drop_output() -> None:
    """Discard what nobody reads, as behind `| head`, so that the interpreter can end in peace."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.close(nothing)
