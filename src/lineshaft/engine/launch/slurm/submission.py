"""Runs as Slurm jobs, through submitit; it submits, files and squeue tell what became of them.

submitit is never polled: without Slurm's accounting each of its questions prints an error.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from lineshaft.engine.errors import RequestError, counted
from lineshaft.engine.launch.slurm.job import Cell, Job
from lineshaft.engine.launch.slurm.settings import NO_LIMIT, parameters
from lineshaft.engine.launch.task import Task
from lineshaft.engine.run import provenance
from lineshaft.engine.run.execute import opened
from lineshaft.engine.run.identity import check_identity
from lineshaft.engine.run.lineage import keeping
from lineshaft.engine.run.options import Options
from lineshaft.engine.run.queue import JOB_NAME, is_queued, jobs
from lineshaft.engine.run.store import Folder, write_json
from lineshaft.engine.spec.experiment import find

MOST_IN_ARRAY = 1000


def submit(
    tasks: Sequence[Task],
    options: Options,
    settings: Mapping[str, str],
    per_job: int = 1,
    max_jobs: int | None = None,
) -> list[str]:
    """Submit what is neither done nor running nor queued; the ids of the jobs.

    `per_job` runs share a job, more where `max_jobs`, a site's limit of jobs in the queue, leaves no room.
    Nothing is made where Slurm refuses.
    """
    if per_job < 1 or (max_jobs is not None and max_jobs < 1):
        raise RequestError("--per-job and --max-jobs must be 1 or more")
    wanted = parameters(settings, options.threads, MOST_IN_ARRAY)
    require()
    jobs = shared_out(outstanding(tasks, options.retry), per_job, max_jobs)
    ids: list[str] = []
    for start in range(0, len(jobs), MOST_IN_ARRAY):
        ids += submit_array(jobs[start : start + MOST_IN_ARRAY], options, wanted)
    return ids


def require() -> None:
    for program in ("sbatch", "squeue"):
        if shutil.which(program) is None:
            raise RequestError(f"Slurm's {program} is not on this machine; leave out --slurm to compute here")


def outstanding(tasks: Sequence[Task], retry: bool) -> list[Task]:
    """The tasks that nobody computes or has queued; failed runs only with --retry."""
    known, left = jobs("--name", JOB_NAME), []
    for task in tasks:
        state = task.folder.state()
        if task.folder.dir.exists():
            check_identity(task.folder, task.address, task.config)
        wanted = state in ("new", "paused") or (state == "failed" and retry)
        if wanted and not is_queued(task.folder, known):
            left.append(task)
    return left


def shared_out(tasks: Sequence[Task], per_job: int, max_jobs: int | None) -> list[list[Task]]:
    """The runs of each job, dealt round robin: neighbours in a grid take about equally long."""
    count = -(-len(tasks) // per_job)
    if count and max_jobs is not None:
        mine = len(jobs("--me"))
        if mine >= max_jobs:
            raise RequestError(
                f"you have {counted(mine, 'job')} in the queue and --max-jobs is {max_jobs}; wait for one"
            )
        count = min(count, max_jobs - mine)
    return [list(tasks[i::count]) for i in range(count)]


def submit_array(lists: Sequence[Sequence[Task]], options: Options, wanted: Mapping[str, Any]) -> list[str]:
    """One array, a job for each list of runs; then the job's id in each run's folder."""
    import submitit

    for task in (task for tasks in lists for task in tasks):
        note_death(task.folder)
    command = " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])[:2000]
    runs, when = lists[0][0].folder.dir.parents[1], provenance.now()
    homes = {task.address: task.folder.dir.parent for tasks in lists for task in tasks}
    quiet = replace(options, foreground=False)
    with ExitStack() as stack:
        kept = {a: stack.enter_context(keeping(find(a).code, home)) for a, home in homes.items()}
        calls = [Job([cell(t) for t in tasks], quiet, command, kept) for tasks in lists]
        folder = stack.enter_context(fresh_folder(runs / ".slurm", when))
        executor = submitit.SlurmExecutor(folder, max_num_timeout=NO_LIMIT)
        executor.update_parameters(**wanted)
        submitted = executor.submit_array(calls)
    for job, tasks in zip(submitted, lists):
        for task in tasks:
            log = str(job.paths.stderr.relative_to(runs))
            with opened(task.folder, task.address, task.config):
                write_json(task.folder.dir / "job.json", {"job": job.job_id, "submitted": when, "log": log})
    return [str(job.job_id) for job in submitted]


def cell(task: Task) -> Cell:
    return task.address, task.config.model_dump_json(), task.folder.dir


def note_death(folder: Folder) -> None:
    """Count a job that was killed, or ran out of memory, as a crash: the third one fails the run."""
    entries = folder.provenance()
    if entries and entries[-1].get("job"):
        provenance.mark_death(folder)


@contextmanager
def fresh_folder(home: Path, when: str) -> Iterator[Path]:
    """The folder for submitit's files of one submission; removed where Slurm refuses it."""
    from submitit.core.utils import FailedJobError

    number = 0
    while (folder := home / f"{when[:19].replace(':', '-')}~{number}").exists():
        number += 1
    try:
        yield folder
    except (FailedJobError, OSError, subprocess.SubprocessError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        with suppress(OSError):
            home.rmdir()
            home.parent.rmdir()
        raise RequestError(f"sbatch refused: {refusal(error)}") from None


def refusal(error: Exception) -> str:
    """Slurm's own words out of submitit's longer ones."""
    text = str(getattr(error, "stderr", None) or error)
    lines = [line for line in text.splitlines() if "error:" in line]
    return "; ".join(line.split("error:", 1)[1].strip() for line in lines) or text.strip()
