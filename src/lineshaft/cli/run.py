"""`run` and `sweep`: one run in the foreground, a grid of runs side by side."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from lineshaft.cli import DONE
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
    Strict,
    Threads,
    Track,
    Workers,
    launched,
)
from lineshaft.cli.output import last_line, print_table, runs_folder, say
from lineshaft.engine.errors import RequestError, counted
from lineshaft.engine.launch.plan import Cell, planned
from lineshaft.engine.run.options import Options, cores, set_threads


def run(
    context: typer.Context,
    experiment: Annotated[
        str | None, typer.Argument(help="SYSTEM.EXPERIMENT or a file such as ./mine.py")
    ] = None,
    words: Annotated[list[str] | None, typer.Argument(help="key=value ...")] = None,
    runs: Runs = None,
    device: Device = "auto",
    threads: Annotated[
        int | None, typer.Option(min=1, help="threads of the run (default: all cores)")
    ] = None,
    checkpoint_every: Every = 30.0,
    track: Track = None,
    retry: Retry = False,
    strict: Strict = False,
    show_help: Annotated[
        bool, typer.Option("--help", help="this; after an experiment its parameters and their defaults")
    ] = False,
) -> int:
    """One run in the foreground, with progress. The same command resumes it, or says that it is done."""
    from lineshaft.cli.parameters import print_parameters

    if experiment is None:
        return usage(context, show_help)
    set_threads(threads or cores())
    from lineshaft.engine.run.description import description
    from lineshaft.engine.run.execute import execute
    from lineshaft.engine.spec.experiment import find
    from lineshaft.engine.spec.grid import grid

    if show_help:
        print_parameters(find(experiment))
        return 0
    found = find(experiment)
    cells = grid(found.config, words or [])
    if len(cells) > 1:
        raise RequestError(several(words or [], len(cells)))
    options = launched(device, threads or cores(), checkpoint_every, retry, track, strict)
    options = replace(options, foreground=True)
    folder, state = execute(experiment, cells[0], runs_folder(runs), options)
    if state == "done":
        print_result(found, folder.result())
    say(f"{state}: {folder.dir}")
    if state == "done" and description(folder).get("code", code := found.code.hash) != code:
        say("computed by other code than now; `lineshaft rm --stale` removes such runs, to compute them anew")
    if state == "failed":
        say(last_line(folder.dir / "error.txt"))
    return {"done": 0, "failed": 1}.get(state, 130)


def several(words: Sequence[str], cells: int) -> str:
    """What to write instead where the words of one run make several."""
    from lineshaft.engine.spec.grid import split

    key = next(key for key, values in map(split, words) if len(values) > 1)
    text = f"these words make {counted(cells, 'run')}; `lineshaft sweep` takes the same words"
    one = next(word.partition("=")[2] for word in words if word.startswith(f"{key}="))
    return f"{text}; for one text with a comma write '{key}=\"{one[:60]}\"'" if "," in one else text


def print_result(experiment: Any, result: dict[str, float]) -> None:
    """The experiment's own overview of its metrics, else all of them; `show` has all in either case."""
    if experiment.overview is not None:
        print(experiment.overview(result))
    else:
        print_table([[k, f"{v:.6g}"] for k, v in result.items()], ["metric", "value"])


def usage(context: typer.Context, asked: bool) -> int:
    """How `run` is used and what can be run; an error where nobody asked for it."""
    from lineshaft.engine.spec.experiment import known

    names = ", ".join(known())
    if not asked:
        raise RequestError(
            f"name an experiment: {names}, or a file such as ./mine.py; see lineshaft run --help"
        )
    print(context.get_help())
    print(f"\nExperiments: {names}\nTheir parameters: lineshaft run EXPERIMENT --help")
    return DONE


def sweep(
    experiment: Annotated[str, typer.Argument(help="SYSTEM.EXPERIMENT, ./mine.py or SYSTEM.tables:FUNCTION")],
    words: Annotated[list[str] | None, typer.Argument(help="key=a,b seed=0..4 ...")] = None,
    runs: Runs = None,
    workers: Workers = None,
    per_gpu: PerGpu = 1,
    device: Device = "auto",
    threads: Threads = None,
    checkpoint_every: Every = 30.0,
    track: Track = None,
    retry: Retry = False,
    strict: Strict = False,
    fail_fast: FailFast = False,
    dry_run: DryRun = False,
    slurm: Slurm = None,
    per_job: PerJob = 1,
    max_jobs: MaxJobs = None,
) -> int:
    """A grid of runs. The same command again does only what is left; two launchers share one grid."""
    from lineshaft.engine.launch.local import warm_up
    from lineshaft.engine.run.ranks import alone

    alone()
    folder = runs_folder(runs)
    at_once = expected(experiment, words or [], workers, per_gpu)
    each = threads or max(1, cores() // at_once)
    if not dry_run and slurm is None:
        warm_up([experiment], each)
    cells = planned(experiment, words or [])
    if dry_run:
        return show_plan(cells, folder)
    each = each if slurm is None else threads or 0
    options = launched(device, each, checkpoint_every, retry, track, strict)
    if slurm is not None:
        return submitted(cells, folder, options, slurm, per_job, max_jobs)
    return launch_cells(cells, folder, options, workers, fail_fast, per_gpu)


def expected(experiment: str, words: Sequence[str], workers: int | None, per_gpu: int) -> int:
    """Runs at once, from the words alone: the forkserver starts before the experiment is imported."""
    from lineshaft.engine.launch.local import places
    from lineshaft.engine.spec.grid import split

    cells = math.prod(len(split(word)[1]) for word in words) if ":" not in experiment else workers or cores()
    return places(cells, workers, per_gpu)[0]


def show_plan(cells: Sequence[Cell], runs: Path) -> int:
    """The runs and their states, nothing started."""
    from lineshaft.engine.launch.task import task

    tasks = [task(address, config, runs) for address, config in cells]
    states = [t.folder.state() for t in tasks]
    print_table([[state, t.folder.id] for state, t in zip(states, tasks)], ["state", "run"])
    say(f"{counted(len(tasks), 'run')}, {sum(s != 'done' for s in states)} to do")
    return 0


def submitted(
    cells: Sequence[Cell], runs: Path, options: Options, words: Sequence[str], per_job: int, most: int | None
) -> int:
    """The cells as Slurm jobs; without --threads a run uses the cores its job asks for."""
    from lineshaft.cli.slurm import slurm_sweep
    from lineshaft.engine.launch.slurm.settings import read
    from lineshaft.engine.spec.grid import split

    settings = {key: ",".join(values) for key, values in map(split, filter(None, words))}
    threads = options.threads or read("cpus", settings.get("cpus", "1"))[1]
    return slurm_sweep(cells, runs, replace(options, threads=threads), settings, per_job, most)


def launch_cells(
    cells: Sequence[Cell],
    runs: Path,
    options: Options,
    workers: int | None = None,
    fail_fast: bool = False,
    per_gpu: int = 1,
) -> int:
    """Compute the cells side by side with progress; the exit code tells how it went."""
    from lineshaft.cli.board import Board
    from lineshaft.engine.launch.local import Launcher, places
    from lineshaft.engine.launch.task import tasks_of

    at_once, devices = places(len(cells), workers, per_gpu)
    devices = devices if options.device == "auto" else [options.device]
    board = Board()
    tasks, refusals = tasks_of(cells, runs)
    launcher = Launcher(tasks, options, at_once, fail_fast, devices, board.show, refusals)
    code = launcher.run()
    board.finish(launcher)
    for run_id, why in list(launcher.refusals.items())[:5]:
        say(f"refused: {why}" if why.startswith(run_id) else f"refused: {run_id}: {why}")
    for run_id in [i for i, state in launcher.states.items() if state == "failed"][:5]:
        say(f"failed: {run_id}: {last_line(runs / run_id / 'error.txt')}")
    return code
