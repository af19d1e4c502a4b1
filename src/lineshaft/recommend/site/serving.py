"""The site as a process of its own, for tests, measurements and the canary: started, used, ended."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 180.0


@dataclass(frozen=True)
class Serving:
    """A running site."""

    address: str
    process: "subprocess.Popen[bytes]"
    home: Path
    """Its working folder, home and place for temporary files, and the file of its output."""

    @property
    def log(self) -> Path:
        return self.home / "output.txt"

    def workers(self) -> list[int]:
        """Process ids of the workers."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(child) for child in children.split()]


@contextmanager
def serving(home: Path, arguments: Sequence[str] = (), prelude: str = "") -> Iterator[Serving]:
    """`lineshaft serve recommend --port 0` with more arguments; `prelude` is Python that is run before it."""
    home.mkdir(parents=True, exist_ok=True)
    code = f"{prelude}\nfrom lineshaft.cli import main\nmain()"
    command = [sys.executable, "-c", code, "serve", "recommend", "--port", "0", *arguments]
    places = {name: str(home) for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME")}
    with (home / "output.txt").open("wb") as output:
        process = subprocess.Popen(
            command, cwd=home, env={**os.environ, **places}, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield Serving(_address(process, home / "output.txt"), process, home)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _address(process: "subprocess.Popen[bytes]", log: Path) -> str:
    """What the site says once it answers."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        text = log.read_text(errors="replace")
        if "serving http" in text:
            return text.partition("serving ")[2].split()[0].rstrip("/")
        if process.poll() is not None:
            raise RuntimeError(f"the site ended before it answered:\n{text}")
        time.sleep(0.05)
    raise RuntimeError(f"the site does not answer after {PATIENCE:g} s")
