"""What a person sees while a sweep runs: one calm line on standard error."""

import signal
import sys
import time
from contextlib import suppress

from lineshaft.engine.errors import counted
from lineshaft.engine.launch.local import Launcher
from lineshaft.engine.run.progress import clock, fitting

REDRAW_EVERY = 0.5
PLAIN_EVERY = 30.0


class Board:
    """Counts of states and an estimate of the end; live on a terminal, now and then a line elsewhere."""

    def __init__(self) -> None:
        self.start = time.monotonic()
        self.drawn = self.start
        self.live = sys.stderr.isatty()
        self.erase = "\r\x1b[K" if self.live else ""
        self.explained: signal.Signals | None = None
        self.noted: set[str] = set()

    def show(self, launcher: Launcher) -> None:
        if launcher.word and launcher.word != self.explained:
            self.explained = launcher.word
            write(f"{self.erase}{explained(launcher)}\n")
        self.note_changes(launcher)
        now = time.monotonic()
        if now - self.drawn < (REDRAW_EVERY if self.live else PLAIN_EVERY):
            return
        self.drawn = now
        text = self.line(launcher)
        write(f"{self.erase}{fitting(text, sys.stderr)}" if self.live else f"{text}\n")

    def line(self, launcher: Launcher) -> str:
        """`12/18 done, 2 running, about 14 s left`."""
        left = launcher.count("waiting") + launcher.count("running")
        parts = [f"{launcher.count('done')}/{launcher.total} done"]
        parts += [f"{n} {s}" for s in ("running", "elsewhere", "failed") if (n := launcher.count(s))]
        if launcher.seconds and left:
            mean = sum(launcher.seconds) / len(launcher.seconds)
            parts.append(f"about {clock(mean * left / launcher.workers)} left")
        return ", ".join(parts)

    def note_changes(self, launcher: Launcher) -> None:
        """Say once of each experiment that its files were edited while its runs are computed."""
        for address in launcher.changes.keys() - self.noted:
            self.noted.add(address)
            files = ", ".join(launcher.changes[address][:5])
            write(
                f"{self.erase}{files} changed since this sweep began; all its runs get the code as it was\n"
            )

    def finish(self, launcher: Launcher) -> None:
        self.note_changes(launcher)
        states = ("done", "failed", "refused", "paused", "waiting")
        counts = [f"{n} {s}" for s in states if (n := launcher.count(s))]
        seconds = clock(time.monotonic() - self.start)
        write(f"{self.erase}{', '.join(counts) or 'nothing to do'} in {seconds}\n")
        if n := len(launcher.of_other_code):
            write(f"{n} done before by other code than now: stale in `lineshaft ls`\n")


def explained(launcher: Launcher) -> str:
    """What an interrupt does, and what another one would do."""
    runs = counted(len(launcher.running), "run")
    if launcher.word == signal.SIGKILL:
        return f"killed {runs}: the same command goes on from where they last saved"
    return (
        f"stopping: {runs} will save and end, the same command goes on later; "
        "Ctrl-C again kills them, and they go on from where they last saved"
    )


def write(text: str) -> None:
    """To the terminal, which may have been closed: that must not stop a sweep from ending well."""
    with suppress(OSError):
        print(text, end="", file=sys.stderr, flush=True)
