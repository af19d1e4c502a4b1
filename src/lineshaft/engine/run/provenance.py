"""Where a result came from: one entry for each execution."""

import functools
import hashlib
import importlib.metadata
import os
import platform
import socket
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lineshaft.engine.run.checkpoint import keep
from lineshaft.engine.run.options import Options
from lineshaft.engine.run.store import TRIES, Folder, write, write_json
from lineshaft.engine.spec.code import Code
from lineshaft.engine.spec.experiment import Experiment

MOST_DIFF = 200_000


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def origin(experiment: Experiment) -> dict[str, Any]:
    """What is the same for every run of one launch: code, versions, command."""
    return {
        "experiment": experiment.address,
        "code": experiment.code.hash,
        **revision(experiment.code.root),
        "versions": versions(),
        "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])[:2000],
    }


def origin_of(experiment: Experiment, options: Options) -> dict[str, Any]:
    """What the launcher found out where it launched this experiment; of a run needed by one, its command."""
    known = options.origin
    if known.get("experiment") == experiment.address:
        return known
    return origin(experiment) | {key: value for key, value in known.items() if key == "command"}


@functools.cache
def revision(directory: Path) -> dict[str, str]:
    """Commit and diff of tracked files, empty outside a git checkout."""
    commit = git(directory, "rev-parse", "HEAD").strip()
    return {"commit": commit, "diff": git(directory, "diff", "HEAD")[:MOST_DIFF] if commit else ""}


def keep_diff(folder: Folder, diff: str) -> str:
    """The name of a diff. It is stored once for all runs; each run's folder links to that file."""
    if not diff:
        return ""
    name = hashlib.sha256(diff.encode()).hexdigest()[:16]
    shared, own = folder.dir.parents[1] / ".diffs" / f"{name}.patch", folder.dir / "diffs" / f"{name}.patch"
    for _ in range(TRIES):
        with suppress(FileNotFoundError):  # a refused run beside this one removed the shared file again
            for path in (shared, own):
                path.parent.mkdir(exist_ok=True)
            if not shared.exists():
                write(shared, diff)
            if not own.exists():
                keep(shared, own)
            return name
    return ""


def drop_diffs(folder: Folder) -> None:
    """Remove what `keep_diff` stored for a run that is being removed, unless another run links to it."""
    home = folder.dir.parents[1] / ".diffs"
    for own in (folder.dir / "diffs").glob("*.patch"):
        own.unlink()
        shared = home / own.name
        with suppress(FileNotFoundError):
            if shared.stat().st_nlink == 1:
                shared.unlink()
    with suppress(OSError):
        home.rmdir()


def git(directory: Path, *words: str) -> str:
    try:
        done = subprocess.run(["git", "-C", str(directory), *words], capture_output=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode(errors="replace") if done.returncode == 0 else ""


def versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in ("lineshaft", "torch", "numpy", "numba", "scikit-learn", "implicit"):
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


@functools.cache
def processor() -> str:
    """The processor's name, for absolute times."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def accelerator(device: str) -> str:
    if not device.startswith("cuda"):
        return device
    import torch

    return torch.cuda.get_device_name(device)


class Entry:
    """The entry of the execution under way, written at its start and again whenever something is added.

    `started` comes before anything touches the device: waking a GPU is a part of the run's own time.
    """

    def __init__(
        self,
        folder: Folder,
        options: Options,
        experiment: Experiment,
        code: Code,
        checkpoint: float,
        started: str,
    ) -> None:
        self.folder, self.rank = folder, options.rank
        self.earlier = folder.provenance()
        self.values: dict[str, Any] = {
            **origin_of(experiment, options),
            "code": code.hash,
            "host": socket.gethostname(),
            "processor": processor(),
            "device": accelerator(options.device),
            "threads": options.threads,
            "job": os.environ.get("SLURM_JOB_ID", ""),
            "restarts": int(os.environ.get("SLURM_RESTART_COUNT", 0)),
            "start": started,
            "end": None,
            "outcome": None,
            "checkpoint": checkpoint,
            "data": {},
            "parents": [],
        }
        if not self.rank:
            self.values["diff"] = keep_diff(folder, self.values.get("diff", ""))
        self.save()

    def save(self) -> None:
        if self.rank:
            return
        write_json(self.folder.dir / "provenance.json", [*self.earlier, self.values])

    def close(self, outcome: str) -> None:
        self.values |= {"end": now(), "outcome": outcome}
        self.save()

    def known_data(self) -> dict[str, dict[str, str]]:
        """Checksums of data sets as earlier executions of this run saw them."""
        return {name: sums for entry in self.earlier for name, sums in entry.get("data", {}).items()}


def deaths(folder: Folder, checkpoint: float) -> int:
    """How many times in a row the run crashed without a new checkpoint while its launcher went on."""
    count = 0
    for entry in reversed(folder.provenance()):
        if entry.get("outcome") != "died" or entry.get("checkpoint") != checkpoint:
            break
        count += 1
    return count


def mark_death(folder: Folder) -> bool:
    """Record the crash in the execution's entry; False where the run crashed before it wrote one."""
    entries = folder.provenance()
    if not entries or entries[-1].get("outcome") is not None:
        return False
    entries[-1] |= {"end": now(), "outcome": "died"}
    write_json(folder.dir / "provenance.json", entries)
    return True


def forgive(folder: Folder) -> None:
    """Forget earlier crashes: the user asked for another try."""
    entries = folder.provenance()
    for entry in entries:
        if entry.get("outcome") == "died":
            entry["outcome"] = "retried"
    write_json(folder.dir / "provenance.json", entries)
