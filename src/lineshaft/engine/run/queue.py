"""A run's place in Slurm's queue: what its job.json and squeue tell.

squeue is asked at most once a listing, and only where a run was given to a job that has not yet finished it.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable

from lineshaft.engine.errors import RequestError
from lineshaft.engine.run.provenance import now
from lineshaft.engine.run.store import Folder, write_json

JOB_NAME = "lineshaft"
PATIENCE = 30


def queued(folders: Iterable[Folder]) -> set[str]:
    """The ids of the runs that Slurm will start or has not yet ended; empty where there is no Slurm."""
    given = [folder for folder in folders if waits(folder)]
    if not given or shutil.which("squeue") is None:
        return set()
    try:
        known = jobs("--name", JOB_NAME)
    except RequestError as error:
        print(f"{error}; queued runs are shown as paused or new", file=sys.stderr)
        return set()
    return {folder.id for folder in given if is_queued(folder, known)}


def is_queued(folder: Folder, known: set[str]) -> bool:
    return waits(folder) and ticket(folder)["job"] in known


def waits(folder: Folder) -> bool:
    """Whether the run was given to a job that has not yet finished it, by what its folder says."""
    held = ticket(folder)
    return "job" in held and "left" not in held


def jobs(*which: str) -> set[str]:
    """The ids squeue knows, elements of arrays one by one; asked once."""
    command = ["squeue", "--noheader", "--array", "--format=%i", *which]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RequestError(f"squeue does not answer: {error}") from None
    if done.returncode:
        raise RequestError(f"squeue does not answer: {done.stderr.strip()}")
    return set(done.stdout.split())


def ticket(folder: Folder) -> dict[str, str]:
    """job.json: the run's job, when it was submitted, the job's log, and when the job finished the run."""
    try:
        return dict(json.loads((folder.dir / "job.json").read_bytes()))
    except (OSError, ValueError):
        return {}


def leave_queue(folder: Folder) -> None:
    """Record that the job finished this run; it may go on with others."""
    write_json(folder.dir / "job.json", {**ticket(folder), "left": now()})
