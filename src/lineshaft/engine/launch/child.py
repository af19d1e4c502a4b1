"""The process of one run: how a launcher starts it, what runs in it, and how it says what went wrong."""

import atexit
import multiprocessing
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from lineshaft.engine.errors import Busy, RequestError
from lineshaft.engine.launch.task import Task
from lineshaft.engine.run.execute import execute
from lineshaft.engine.run.options import Options, set_threads
from lineshaft.engine.spec.experiment import find
from lineshaft.engine.spec.names import name
from lineshaft.engine.spec.serving import serving

DONE, FAILED, REFUSED, BUSY, PAUSED = 0, 1, 2, 4, 130
EXIT = {"done": DONE, "failed": FAILED, "paused": PAUSED}


@dataclass(eq=False)
class Child:
    """A process that computes a task, and the pipe through which it sends one message at most."""

    process: ForkServerProcess
    task: Task
    options: Options
    pipe: Connection
    started: float = field(default_factory=time.monotonic)
    message: str | None = None

    def listen(self) -> None:
        """Read the child's message: '' once its run has ended, text for an error, None if it crashed."""
        with self.pipe:
            try:
                self.message = str(self.pipe.recv()) if self.pipe.poll() else None
            except EOFError:
                self.message = None

    @property
    def has_ended(self) -> bool:
        """Whether its run has ended; the process may still need a moment to release a GPU."""
        return self.message == ""


def spawn(task: Task, options: Options) -> Child:
    """Start a process from the forkserver; its environment is the one the forkserver started with."""
    here, there = multiprocessing.Pipe(duplex=False)
    arguments = (task.address, task.config.model_dump_json(), task.folder.dir, options, there)
    with without_main():
        process = multiprocessing.get_context("forkserver").Process(target=compute, args=arguments)
        process.start()
    there.close()
    return Child(process, task, options, here)


def compute(address: str, config: str, home: Path, options: Options, word: Connection) -> None:
    """What the process does; its exit code only separates pauses from crashes."""
    try:
        multiprocessing.set_start_method(None, force=True)
        set_threads(options.threads)
        with serving(options.kept) if options.kept else nullcontext():
            code = EXIT[compute_at(address, config, home, options)]
        if code in (DONE, FAILED):
            word.send("")
    except Busy:
        code = BUSY
    except KeyboardInterrupt:
        code = PAUSED
    except Exception as error:
        word.send(str(error) if isinstance(error, RequestError) else unexpected(address, error))
        code = REFUSED
    wind_up()
    sys.exit(code)


def compute_at(address: str, config: str, home: Path, options: Options) -> str:
    """The state of the run; nothing is computed where this process would give it another name."""
    values = find(address).config.model_validate_json(config)
    if name(values) != home.name:
        raise RequestError(f"{home.name} would be called {name(values)} by the code found here")
    return execute(address, values, home.parents[1], options)[1]


def wind_up() -> None:
    """End as an interpreter does: multiprocessing leaves out what was registered for that.

    joblib's idle workers, which stay for five minutes and would be waited for, end here.
    """
    for call in reversed(getattr(threading, "_threading_atexits", [])):
        with suppress(Exception):
            call()
    atexit._run_exitfuncs()


def unexpected(address: str, error: Exception) -> str:
    """An error outside the experiment's code; trying again would not help."""
    return f"{address}: {type(error).__name__}: {error}; `lineshaft run` with the same words shows where"


@contextmanager
def without_main() -> Iterator[None]:
    """Keep children from importing the main module: they need nothing of it, and scripts need no guard."""
    names: dict[str, Any] = sys.modules["__main__"].__dict__
    hidden: dict[str, Any] = {k: names.pop(k) for k in ("__file__", "__spec__") if k in names}
    names["__spec__"] = None
    try:
        yield
    finally:
        names.update(hidden)
