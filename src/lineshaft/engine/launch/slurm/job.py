"""What a Slurm job does: it computes runs one after another and requeues itself when preempted."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from lineshaft.engine.errors import Busy, RequestError
from lineshaft.engine.run import provenance
from lineshaft.engine.run.execute import execute
from lineshaft.engine.run.options import Options
from lineshaft.engine.run.queue import leave_queue
from lineshaft.engine.run.ranks import Ranks, here
from lineshaft.engine.run.stop import Stop
from lineshaft.engine.run.store import Folder, StorageError, write
from lineshaft.engine.spec.experiment import find
from lineshaft.engine.spec.frozen import Kept
from lineshaft.engine.spec.names import name
from lineshaft.engine.spec.serving import serving

Cell = tuple[str, str, Path]
"""A run as a job keeps it: the experiment's address, the configuration as JSON, the folder."""


class Job:
    """A callable that submitit pickles; queued again, it holds the runs that are left."""

    def __init__(
        self, cells: Sequence[Cell], options: Options, command: str, kept: Mapping[str, Kept] | None = None
    ) -> None:
        self.cells, self.options, self.command, self.kept = list(cells), options, command, kept or {}
        self.failed: list[str] = []

    def __call__(self) -> None:
        """Compute the runs. Preempted or out of time, go back to the queue once the current one is saved."""
        requeue = signal.getsignal(signal.SIGUSR2)
        self.options = replace(self.options, ranks=ranks_of_job())
        stop = Stop()
        with stop.listening():
            while self.cells and not self.is_over(stop):
                self.compute_next(stop)
        if callable(requeue) and self.cells and wanted_back(stop):
            requeue(signal.SIGUSR2, None)
        if self.failed:
            raise RuntimeError(f"failed: {', '.join(self.failed)}")

    def is_over(self, stop: Stop) -> bool:
        """Whether some task of the job was asked to stop; all tasks of a job get the same answer."""
        return any(self.options.ranks.any(stop.asked))

    def compute_next(self, stop: Stop) -> None:
        """The first run that is left; only one that the whole job was stopped in stays in the list."""
        folder = Folder(self.cells[0][2])
        state = self.compute(*self.cells[0])
        if state == "failed":
            self.failed.append(folder.id)
        if state != "paused" or not self.is_over(stop):
            del self.cells[0]
        if state != "running" and not self.options.rank and not stop.asked:
            leave_queue(folder)

    def compute(self, address: str, config: str, home: Path) -> str:
        """One run; a refusal is kept in its folder, since nobody looks at this terminal.

        A folder that cannot be written or read now is left as it is, and the job's other runs go on.
        """
        try:
            return self.compute_launched(address, config, home)
        except Busy:
            return "running"
        except Exception as error:
            print(f"{home.name}: {error or type(error).__name__}", file=sys.stderr)
            if isinstance(error, RequestError) and not isinstance(error, StorageError):
                write(home / "error.txt", f"{error}\n", sync=True)
            return "failed"

    def compute_launched(self, address: str, config: str, home: Path) -> str:
        """One run, with the code that it was submitted with."""
        kept = self.kept.get(address)
        with serving(kept) if kept else nullcontext():
            experiment = find(address)
            origin = {**provenance.origin(experiment), "command": self.command}
            options = replace(self.options, origin=origin, kept=kept)
            values = experiment.config.model_validate_json(config)
            if name(values) != home.name:
                raise RequestError(f"{home.name} would be called {name(values)} by the code found here")
            return execute(address, values, home.parents[1], options)[1]

    def checkpoint(self) -> Any:
        """What submitit queues again: this job; the runs' folders say where to go on."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)


def ranks_of_job() -> Ranks:
    """The tasks of a job are the ranks of its runs; they find each other as those that torchrun starts."""
    if int(os.environ.get("SLURM_NTASKS", 1)) > 1 and "SLURM_PROCID" in os.environ:
        from submitit.helpers import TorchDistributedEnvironment

        TorchDistributedEnvironment().export(set_cuda_visible_devices=False, overwrite=True)
        if os.environ.get("SLURM_NNODES") == "1":
            os.environ["MASTER_ADDR"] = "127.0.0.1"  # a node's name may mean nothing to the node itself
    return here()


def wanted_back(stop: Stop) -> bool:
    """Whether Slurm preempted the job (SIGUSR2, at some sites SIGTERM), as opposed to scancel."""
    if signal.SIGUSR2 in stop.signals:
        return True
    return signal.SIGTERM in stop.signals and preempted()


def preempted() -> bool:
    """A job under preemption is still RUNNING, with a time of preemption; a cancelled one runs no more."""
    job = os.environ.get("SLURM_JOB_ID", "")
    command = ["squeue", "--noheader", f"--jobs={job}", "--Format=state:.20,preempttime:.30"]
    try:
        words = subprocess.run(command, capture_output=True, text=True, timeout=20).stdout.split()
    except (OSError, subprocess.TimeoutExpired):
        return False
    return len(words) == 2 and words[0] == "RUNNING" and words[1] != "N/A"
