"""`relaunch`: from the best checkpoints of finished runs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from lineshaft.cli.output import plain, runs_folder, say
from lineshaft.cli.run import Device, Every, Retry, Runs, Track, launch_cells, show_plan, submitted
from lineshaft.cli.summary import Tune, Where, names
from lineshaft.engine.launch.plan import Cell
from lineshaft.engine.run.options import Options, cores


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
    workers: Annotated[int | None, typer.Option(min=1, help="runs at once (default: cores, or GPUs)")] = None,
    per_gpu: Annotated[int, typer.Option("--per-gpu", min=1, help="runs that share one GPU")] = 1,
    device: Device = "auto",
    threads: Annotated[
        int | None, typer.Option(min=1, help="threads a run (default: cores // runs at once)")
    ] = None,
    checkpoint_every: Every = 30.0,
    track: Track = None,
    retry: Retry = False,
    fail_fast: Annotated[
        bool, typer.Option("--fail-fast", help="start nothing more after a failure")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="list the runs, start none")] = False,
    slurm: Annotated[
        list[str] | None, typer.Option("--slurm", help="submit: partition=.. time=.. gpus=..")
    ] = None,
    per_job: Annotated[int, typer.Option("--per-job", min=1, help="runs in one Slurm job")] = 1,
    max_jobs: Annotated[int | None, typer.Option("--max-jobs", min=1, help="a site's limit of jobs")] = None,
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
        options = Options(device, threads or 0, checkpoint_every, retry, False, tuple(track or ()))
        return submitted(cells, folder, options, slurm, per_job, max_jobs)
    each = warmed(cells, workers, threads)
    options = Options(device, each, checkpoint_every, retry, False, tuple(track or ()))
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
    say(f"from {len(choice.parents)} finished runs: {named} ...")
    return children(choice, words[1:] if experiment else words)


def warmed(cells: Sequence[Cell], workers: int | None, threads: int | None) -> int:
    """Start the forkserver; the threads of each run."""
    from lineshaft.engine.launch.local import places, warm_up

    each = threads or max(1, cores() // places(len(cells), workers)[0])
    warm_up(list({address for address, _ in cells}), each)
    return each
