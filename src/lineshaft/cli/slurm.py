"""`sweep --slurm partition=main time=2:00:00`: submit what is left, then watch it from files and squeue."""

import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from lineshaft.cli import DONE, FAILED, INTERRUPTED
from lineshaft.cli.output import last_line, say
from lineshaft.engine.errors import counted
from lineshaft.engine.launch.slurm.submission import submit
from lineshaft.engine.launch.task import Task, task
from lineshaft.engine.run.options import Options
from lineshaft.engine.run.progress import clock
from lineshaft.engine.run.queue import queued, ticket
from lineshaft.engine.spec.config import Config

LOOK_EVERY = 2.0
ASK_EVERY = 5.0
PLAIN_EVERY = 30.0
ENDED = ("done", "failed", "lost")


def slurm_sweep(
    cells: Sequence[tuple[str, Config]],
    runs: Path,
    options: Options,
    settings: Mapping[str, str],
    per_job: int = 1,
    max_jobs: int | None = None,
) -> int:
    """Submit the cells that are left and show progress until all have ended; Ctrl-C only stops watching."""
    tasks = [task(address, config, runs) for address, config in cells]
    ids = submit(tasks, options, settings, per_job, max_jobs)
    say(
        f"{counted(len(ids), 'job')} submitted"
        if ids
        else "no job submitted: every run is done, failed, running or queued"
    )
    watch = Watch(tasks)
    try:
        while watch.look():
            time.sleep(LOOK_EVERY)
    except KeyboardInterrupt:
        say(f"\n{watch.line()}; the jobs go on without this command, and the same command shows them again")
        return INTERRUPTED
    return watch.finish()


class Watch:
    """States of runs that others compute."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self.tasks = {each.folder.id: each for each in tasks}
        self.states = dict.fromkeys(self.tasks, "unknown")
        self.waiting: set[str] = set()
        self.missed: Counter[str] = Counter()
        self.start = time.monotonic()
        self.asked = self.shown = float("-inf")
        self.at_start = 0

    def look(self) -> bool:
        """Whether there is more to wait for. Query squeue first: the files, read later, win."""
        now, first = time.monotonic(), self.asked < 0
        left = [each for run, each in self.tasks.items() if self.states[run] not in ENDED]
        if now - self.asked >= ASK_EVERY:
            self.waiting, self.asked = queued([each.folder for each in left]), now
            self.missed.update(each.folder.id for each in left if each.folder.id not in self.waiting)
        for each in left:
            self.states[each.folder.id] = self.state(each)
        self.at_start = self.count("done") if first else self.at_start
        self.show()
        return any(state not in ENDED for state in self.states.values())

    def state(self, each: Task) -> str:
        """`lost` where squeue has twice not listed the job of an unfinished run."""
        state, run = each.folder.state(), each.folder.id
        if state in ("done", "failed", "running"):
            return state
        if run not in self.waiting and self.missed[run] > 1:
            return "lost"
        return "queued"

    def count(self, state: str) -> int:
        return sum(s == state for s in self.states.values())

    def show(self) -> None:
        """A live line on a terminal, now and then a line elsewhere."""
        live, now = sys.stderr.isatty(), time.monotonic()
        if live or now - self.shown >= PLAIN_EVERY:
            self.shown = now
            print(
                *(["\r\x1b[K", self.line()] if live else [self.line(), "\n"]),
                sep="",
                end="",
                file=sys.stderr,
                flush=True,
            )

    def line(self) -> str:
        """`12/20 done, 3 running, 5 queued, about 4 min left`."""
        parts = [f"{self.count('done')}/{len(self.states)} done"]
        parts += [f"{n} {state}" for state in ("running", "queued", "failed") if (n := self.count(state))]
        left, fresh = self.count("running") + self.count("queued"), self.count("done") - self.at_start
        if left and fresh:
            parts.append(f"about {clock((time.monotonic() - self.start) / fresh * left)} left")
        return ", ".join(parts)

    def finish(self) -> int:
        """Return the exit code, and print a line for every run without a result."""
        say(f"\r\x1b[K{self.line()}" if sys.stderr.isatty() else self.line())
        lost = [each for run, each in self.tasks.items() if self.states[run] == "lost"]
        silent = [each for each in lost if not paused(each)]
        for each in silent[:5]:
            say(f"ended without an error message: {each.folder.id}: {self.log(each)}")
        for run in [run for run, state in self.states.items() if state == "failed"][:5]:
            say(f"failed: {run}: {last_line(self.tasks[run].folder.dir / 'error.txt')}")
        if lost:
            ended = f"{counted(len(lost), 'run')} ended early: stopped, cancelled or killed"
            say(f"{ended}; the same command submits what is left")
        return FAILED if silent or self.count("failed") else INTERRUPTED if lost else DONE

    def log(self, each: Task) -> str:
        log = ticket(each.folder).get("log")
        return f"see {each.folder.dir.parents[1] / log}" if log else "it was never given to a job"


def paused(each: Task) -> bool:
    """Whether the run's last execution ended by saving and stopping, as it was asked to."""
    entries = each.folder.provenance()
    return bool(entries) and entries[-1]["outcome"] == "paused"
