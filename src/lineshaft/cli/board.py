"""What a person sees while a sweep runs: one calm line on standard error."""

import sys
import time

from lineshaft.engine.launch.local import Launcher
from lineshaft.engine.run.progress import clock

REDRAW_EVERY = 0.5
PLAIN_EVERY = 30.0


class Board:
    """Counts of states and an estimate of the end; live on a terminal, now and then a line elsewhere."""

    def __init__(self) -> None:
        self.start = time.monotonic()
        self.drawn = self.start
        self.live = sys.stderr.isatty()
        self.noted: set[str] = set()

    def show(self, launcher: Launcher) -> None:
        self.note_changes(launcher)
        now = time.monotonic()
        if now - self.drawn < (REDRAW_EVERY if self.live else PLAIN_EVERY):
            return
        self.drawn = now
        text = self.line(launcher)
        print(
            f"\r\x1b[K{text}" if self.live else text,
            end="" if self.live else "\n",
            file=sys.stderr,
            flush=True,
        )

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
            erase = "\r\x1b[K" if self.live else ""
            print(
                f"{erase}{files} changed since this sweep began; all its runs get the code as it was",
                file=sys.stderr,
                flush=True,
            )

    def finish(self, launcher: Launcher) -> None:
        self.note_changes(launcher)
        states = ("done", "failed", "refused", "paused", "waiting")
        counts = [f"{n} {s}" for s in states if (n := launcher.count(s))]
        seconds = clock(time.monotonic() - self.start)
        erase = "\r\x1b[K" if self.live else ""
        print(f"{erase}{', '.join(counts) or 'nothing to do'} in {seconds}", file=sys.stderr)
        if n := len(launcher.of_other_code):
            print(
                f"{n} of them were done before, by other code than now (stale in `lineshaft ls`)",
                file=sys.stderr,
            )
