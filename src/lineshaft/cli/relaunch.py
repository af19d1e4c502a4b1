"""`relaunch`: from the best checkpoints of finished runs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from lineshaft.cli.options import (
    Device,
    DryRun,
    Every,
    FailFast,
    MaxJobs,
    PerGpu,
    PerJob,
    Retry,
    Runs,
    Slurm,
    Threads,
    Track,
    Workers,
    launched,
)
from lineshaft.cli.output import plain, runs_folder, say
from lineshaft.cli.run import launch_cells, show_plan, submitted
from lineshaft.cli.summary import Tune, Where, names
from lineshaft.engine.errors import counted
from lineshaft.engine.launch.plan import Cell
from lineshaft.engine.run.options import cores


def relaunch(
    words: Annotated[
        list[str] | None, typer.Argument(help="[SYSTEM.EXPERIMENT] key=value key=a,b ...: what is different")
    ] = None,
    best: Annotated[
        bool, typer.Option("--best", help="from the best row, or with --tune from the best of each group")
    ] = False,
    tune: Tune = None,
    where: Where = None,
    to: Annotated[
        str | None, typer.Option(help="another experiment: it reads the parent's state from run.state")
    ] = None,
    runs: Runs = None,
    workers: Workers = None,
    per_gpu: PerGpu = 1,
    device: Device = "auto",
    threads: Threads = None,
    checkpoint_every: Every = 30.0,
    track: Track = None,
    retry: Retry = False,
    fail_fast: FailFast = False,
    dry_run: DryRun = False,
    slurm: Slurm = None,
    per_job: PerJob = 1,
    max_jobs: MaxJobs = None,
) -> int:
    """Start the best checkpoints again with other parameters, all seeds, even as another experiment.

    The same command again does only what is left: runs that were themselves relaunched within the experiment
    are started from only where a condition on their parent asks for them, such as --where parent.parent=none.
    """
    folder = runs_folder(runs)
    cells = planned(folder, words or [], best, names(tune), where or [], to)
    if dry_run:
        return show_plan(cells, folder)
    if slurm is not None:
        options = launched(device, threads or 0, checkpoint_every, retry, track)
        return submitted(cells, folder, options, slurm, per_job, max_jobs)
    options = launched(device, warmed(cells, workers, per_gpu, threads), checkpoint_every, retry, track)
    return launch_cells(cells, folder, options, workers, fail_fast, per_gpu)


def planned(
    runs: Path, words: Sequence[str], best: bool, tune: list[str], where: Sequence[str], to: str | None
) -> list[Cell]:
    """The children of the chosen runs; what a person should know goes to standard error."""
    from lineshaft.engine.keep.relaunch import children, choose

    experiment = words[0] if words and "=" not in words[0] else None
    choice = choose(runs, experiment, where, tune, best, to)
    for note in choice.notes:
        say(plain(note))
    named = ", ".join(plain(row.id) for row in choice.parents[:3])
    more = ", ..." if len(choice.parents) > 3 else ""
    say(f"from {counted(len(choice.parents), 'finished run')}: {named}{more}")
    return children(choice, words[1:] if experiment else words)


def warmed(cells: Sequence[Cell], workers: int | None, per_gpu: int, threads: int | None) -> int:
    """Start the forkserver; the threads of each run."""
    from lineshaft.engine.launch.local import places, warm_up

    each = threads or max(1, cores() // places(len(cells), workers, per_gpu)[0])
    warm_up(list({address for address, _ in cells}), each)
    return each
