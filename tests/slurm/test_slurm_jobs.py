"""Runs on a real Slurm: they end, compute no step twice when preempted, are never queued twice."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from worlds import world

from lineshaft.engine.launch.slurm.submission import submit
from lineshaft.engine.launch.task import Task, task
from lineshaft.engine.run.execute import execute
from lineshaft.engine.run.options import Options
from lineshaft.engine.run.queue import queued
from lineshaft.engine.run.store import Folder
from lineshaft.engine.spec.experiment import find
from lineshaft.engine.spec.grid import grid

WALK = str(Path(__file__).parents[1] / "engine" / "toys" / "walk.py")
PAIR = str(Path(__file__).parents[1] / "engine" / "toys" / "pair.py")
LINESHAFT = [sys.executable, "-c", "from lineshaft.cli import main; main()"]
MAIN = {"partition": "main", "time": "10"}
pytestmark = pytest.mark.slurm


def tasks(runs: Path, *words: str) -> list[Task]:
    return [task(WALK, config, runs) for config in grid(find(WALK).config, words)]


@pytest.fixture
def sweep() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts `lineshaft sweep ... --slurm`; what still runs after the test is killed."""
    with ExitStack() as started:

        def start(runs: Path, *words: str, partition: str = "main") -> subprocess.Popen[str]:
            settings = ["--slurm", f"partition={partition}", "time=10"]
            process = subprocess.Popen(
                [*LINESHAFT, "sweep", WALK, *words, "--runs", str(runs), *settings],
                stderr=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                text=True,
                preexec_fn=hears_interrupts,
            )
            started.enter_context(process)
            started.callback(process.kill)
            return process

        yield start


def hears_interrupts() -> None:
    """A shell starts what it runs in the background deaf to Ctrl-C, and its children inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def steps(folder: Folder) -> int:
    path = folder.dir / "metrics.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


def has_ended(folder: Folder) -> bool:
    """Whether a run is done and its execution is closed, which comes a moment later."""
    return folder.state() == "done" and folder.provenance()[-1]["outcome"] is not None


def ticket(folder: Folder) -> dict[str, str]:
    return json.loads((folder.dir / "job.json").read_text())


def test_an_array_of_twenty_ends_done_and_is_not_queued_twice(cluster, tmp_path, sweep):
    cluster.close()
    cells = tasks(tmp_path, "seed=0..19")
    first = sweep(tmp_path, "seed=0..19")
    cluster.wait_for(lambda: all((t.folder.dir / "job.json").exists() for t in cells), "the submission")
    jobs = set(cluster.queue())
    assert {ticket(t.folder)["job"] for t in cells} == jobs
    assert len(jobs) == 20
    assert queued([t.folder for t in cells]) == {t.folder.id for t in cells}
    assert submit(cells, Options(), MAIN) == []
    command = [*LINESHAFT, "ls", "--json", "--runs", str(tmp_path)]
    listed = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout
    assert [run["state"] for run in json.loads(listed)] == ["queued"] * 20

    second = sweep(tmp_path, "seed=0..19")
    cluster.wait_for(lambda: "no job submitted" in second.stderr.readline(), "the second sweep to say so")
    assert second.stderr.readline() == "0/20 done, 20 queued\n"
    second.send_signal(signal.SIGINT)
    assert second.wait(30) == 130
    assert set(cluster.queue()) == jobs

    cluster.open()
    assert first.wait(150) == 0, first.stderr.read()
    assert [t.folder.state() for t in cells] == ["done"] * 20
    assert submit(cells, Options(), MAIN) == []


def test_preempted_five_times_no_step_is_computed_twice(cluster, tmp_path):
    words = ["steps=60", "sleep=0.1", f"ledger={tmp_path / 'ledger'}"]
    (cell,) = tasks(tmp_path / "runs", *words)
    (job,) = submit([cell], Options(checkpoint_every=1000), MAIN)
    for _ in range(5):
        before = steps(cell.folder)
        cluster.wait_for(lambda: steps(cell.folder) > before + 2, "some steps")  # noqa: B023
        cluster.preempt(job)
    cluster.wait_for(lambda: has_ended(cell.folder), "the run to end")

    entries = cell.folder.provenance()
    assert [e["outcome"] for e in entries] == ["paused"] * 5 + ["done"]
    assert [e["restarts"] for e in entries] == list(range(6))
    assert Counter((tmp_path / "ledger").read_text().split("\n")[:-1]).most_common(1)[0][1] == 1
    calm, _ = execute(WALK, cell.config, tmp_path / "calm", Options())
    assert cell.folder.result() == calm.result()
    assert cell.folder.metrics() == calm.metrics()


def test_a_person_who_stops_or_cancels_a_run_does_not_find_it_queued_again(cluster, tmp_path):
    stopped, cancelled, other = tasks(tmp_path, "steps=200", "sleep=0.05", "seed=0..2")
    jobs = submit([stopped, other, cancelled], Options(), MAIN, per_job=2)
    assert ticket(stopped.folder)["job"] == ticket(cancelled.folder)["job"] == jobs[0]
    cluster.wait_for(lambda: steps(stopped.folder) > 3 and steps(other.folder) > 3, "both jobs to run")
    (stopped.folder.dir / "stop").touch()
    cluster.wait_for(lambda: steps(cancelled.folder) > 3, "the job to go on with its second run")
    assert stopped.folder.state() == "paused"
    assert queued([stopped.folder, cancelled.folder]) == {cancelled.folder.id}
    cluster.call("scancel", *jobs)
    cluster.wait_for(lambda: not cluster.queue(), "the jobs to leave")
    for cell in (stopped, cancelled, other):
        assert cell.folder.state() == "paused"
        assert [e["outcome"] for e in cell.folder.provenance()] == ["paused"]
        assert (cell.folder.dir / "checkpoints" / "last.pt").exists()


def test_a_site_without_the_user_signal_requeues_as_well(cluster, tmp_path):
    conf = Path(os.environ["SLURM_CONF"])
    text = conf.read_text()
    conf.write_text(text.replace("SlurmctldParameters=preempt_send_user_signal\n", ""))
    cluster.call("scontrol", "reconfigure")
    try:
        (cell,) = tasks(tmp_path, "steps=40", "sleep=0.1")
        (job,) = submit([cell], Options(checkpoint_every=1000), MAIN)
        cluster.wait_for(lambda: steps(cell.folder) > 3, "some steps")
        cluster.preempt(job)
        cluster.wait_for(lambda: has_ended(cell.folder), "the run to end")
        assert [e["outcome"] for e in cell.folder.provenance()] == ["paused", "done"]
    finally:
        conf.write_text(text)
        cluster.call("scontrol", "reconfigure")


def test_a_failure_is_reported_and_tried_again_only_when_asked(cluster, tmp_path, sweep):
    process = sweep(tmp_path, "fail=true", "seed=0,1")
    assert process.wait(90) == 1
    assert "ValueError: asked to fail" in process.stderr.read()
    cells = tasks(tmp_path, "fail=true", "seed=0,1")
    assert submit(cells, Options(), MAIN) == []
    cluster.close()
    assert len(submit(cells, Options(retry=True), MAIN)) == 2


def test_the_limit_of_jobs_holds_and_arrays_are_dealt(cluster, tmp_path):
    cluster.close()
    cells = tasks(tmp_path, "seed=0..6")
    assert len(submit(cells[:3], Options(), MAIN, per_job=2, max_jobs=3)) == 2
    assert len(submit(cells, Options(), MAIN, max_jobs=3)) == 1
    assert len(cluster.queue()) == 3
    assert len({ticket(t.folder)["job"] for t in cells}) == 3
    with pytest.raises(Exception, match="3 jobs in the queue and --max-jobs is 3"):
        submit(tasks(tmp_path, "seed=10"), Options(), MAIN, max_jobs=3)


def test_what_slurm_refuses_leaves_nothing_behind(cluster, tmp_path, sweep):
    process = sweep(tmp_path / "runs", "seed=0", partition="nowhere")
    assert process.wait(60) == 2
    error = process.stderr.read()
    assert "invalid partition" in error
    assert "Traceback" not in error
    assert not (tmp_path / "runs").exists()


def test_the_tasks_of_a_job_are_the_ranks_of_its_run_and_keep_their_draws_when_preempted(cluster, tmp_path):
    words = {"steps": 60, "sleep": 0.1, "notes": str(tmp_path)}
    cell = task(PAIR, find(PAIR).config(**words), tmp_path / "runs")
    (job,) = submit([cell], Options(checkpoint_every=1000), MAIN | {"nodes": "1", "tasks": "2"})
    cluster.wait_for(lambda: steps(cell.folder) > 2, "some steps")
    cluster.preempt(job)
    cluster.wait_for(lambda: has_ended(cell.folder), "the run to end")
    assert [e["outcome"] for e in cell.folder.provenance()] == ["paused", "done"]
    calm = tmp_path / "calm"
    calm.mkdir()
    assert world(2, PAIR, words | {"sleep": 0, "notes": str(calm)}, calm / "runs", every=1e9) == [0, 0]
    for rank in ("rank0", "rank1"):
        assert (tmp_path / rank).read_text() == (calm / rank).read_text()
    assert [row["total"] for row in cell.folder.metrics()] == [
        row["total"] for row in Folder(next((calm / "runs/pair").iterdir())).metrics()
    ]
