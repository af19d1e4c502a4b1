"""A real Slurm of one node for the length of the tests, and nothing of it afterwards."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "one-node.sh"
PATH = f"{os.environ['PATH']}:/usr/sbin"


class Cluster:
    """What an administrator and other users do to a cluster."""

    def queue(self) -> dict[str, str]:
        """Job id -> state of every job in the queue."""
        lines = self.call("squeue", "--noheader", "--array", "--format=%i %T").splitlines()
        return dict(line.split() for line in lines)

    def close(self, partition: str = "main") -> None:
        self.call("scontrol", "update", f"PartitionName={partition}", "State=DOWN")

    def open(self, partition: str = "main") -> None:
        self.call("scontrol", "update", f"PartitionName={partition}", "State=UP")

    def preempt(self, job: str) -> None:
        """An urgent job takes the node from `job`; once it has ended `job` may start at once."""
        words = ["--partition=urgent", "--cpus-per-task=4", "--output=/dev/null", "--wrap=true"]
        urgent = self.call("sbatch", "--parsable", *words).strip()
        self.wait_for(lambda: urgent not in self.queue(), "the urgent job to end")
        self.wait_for(lambda: self.queue().get(job) == "PENDING", "the requeue")
        time.sleep(2)  # in the second of its end slurmd takes a job's new credential for the revoked one
        self.call("scontrol", "update", f"JobId={job}", "StartTime=now")

    def clear(self) -> None:
        """Kill what runs, so that no test waits for another's grace."""
        jobs = [*self.queue()]
        if jobs:
            self.call("scancel", "--quiet", "--full", "--signal=KILL", *jobs)
            self.call("scancel", "--quiet", *jobs)
        self.wait_for(lambda: not self.queue(), "the queue to empty")

    @staticmethod
    def call(*words: str) -> str:
        return subprocess.run(words, capture_output=True, text=True, check=True, timeout=60).stdout

    @staticmethod
    def wait_for(holds: Callable[[], object], what: str, seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, f"waited {seconds:.0f} s for {what}"
            time.sleep(0.2)


@pytest.fixture(scope="session")
def one_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    missing = [p for p in ("sbatch", "slurmctld", "slurmd", "munged") if not shutil.which(p, path=PATH)]
    if missing:
        pytest.skip(f"no {missing[0]} here: apt-get install slurm-wlm munge")
    home = tmp_path_factory.mktemp("slurm")
    try:
        subprocess.run([SCRIPT, "start", home], check=True, timeout=60)
        os.environ["SLURM_CONF"] = str(home / "slurm.conf")
        yield Cluster()
    finally:
        subprocess.run([SCRIPT, "stop", home], check=True, timeout=60)
        os.environ.pop("SLURM_CONF", None)


@pytest.fixture
def cluster(one_node: Cluster) -> Iterator[Cluster]:
    """The node with an empty queue before and after."""
    yield one_node
    one_node.open()
    one_node.clear()
