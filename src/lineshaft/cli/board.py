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

    def show(self, launcher: Launcher) -> None:
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

    def finish(self, launcher: Launcher) -> None:
        counts = [f"{n} {s}" for s in ("done", "failed", "paused", "waiting") if (n := launcher.count(s))]
        seconds = clock(time.monotonic() - self.start)
        erase = "\r\x1b[K" if self.live else ""
        print(f"{erase}{', '.join(counts) or 'nothing to do'} in {seconds}", file=sys.stderr)
