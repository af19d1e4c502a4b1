"""Executing one run: lock, resume, compute, save; the files it leaves say what happened."""

import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from lineshaft.engine.errors import Busy, RequestError
from lineshaft.engine.run import provenance
from lineshaft.engine.run.checkpoint import Checkpoints, seed_all
from lineshaft.engine.run.description import describe, introduce
from lineshaft.engine.run.identity import check_identity
from lineshaft.engine.run.lineage import (
    change_of_code,
    code_of_launch,
    earlier_codes,
    keeping,
    refuse_change,
    refuse_edited,
)
from lineshaft.engine.run.log import captured
from lineshaft.engine.run.options import Options, device, set_threads
from lineshaft.engine.run.progress import Progress
from lineshaft.engine.run.ranks import LostRank
from lineshaft.engine.run.run import Run
from lineshaft.engine.run.state import final_metrics
from lineshaft.engine.run.stop import Paused, Stop
from lineshaft.engine.run.store import FULL, Folder, StorageError, make, mend_tail, remove, write, write_json
from lineshaft.engine.spec.config import Config, as_json, refuse_lossy
from lineshaft.engine.spec.experiment import Experiment, find, lacking
from lineshaft.engine.spec.names import name
from lineshaft.engine.spec.plain import at_home
from lineshaft.engine.spec.serving import serving

LOCK_PATIENCE = 0.5
MOST_DEATHS = 3


def execute(address: str, config: Config, runs: Path, options: Options | None = None) -> tuple[Folder, str]:
    """Compute the run of this configuration unless it is done; returns its folder and its state.

    Raises Busy where another process computes it, RequestError where the request is wrong.
    """
    started, options = provenance.now(), options or Options()
    options = replace(options, device=device(options.device, options.ranks))
    set_threads(options.threads)
    experiment = find(address)
    folder = Folder(runs.resolve() / experiment.name / name(config))
    share = follow if options.rank else lead
    with at_home(experiment.home):
        return folder, share(experiment, config, folder, options, started)


@contextmanager
def opened(folder: Folder, address: str, config: Config) -> Iterator[None]:
    """The run's folder, made where it is missing and taken away again if the request proves wrong.

    A request may prove wrong late, after hours of training: what was computed by then stays.
    """
    missing = [path for path in (folder.dir, *folder.dir.parents[:2]) if not os.access(path, os.F_OK)]
    existed = folder.dir not in missing
    try:
        begin(folder, address, config)
        yield
    except StorageError:
        if (
            not existed
            and os.access(folder.dir, os.F_OK)
            and not os.access(folder.dir / "config.json", os.F_OK)
        ):
            remove(folder)
        raise
    except RequestError:
        if not existed and folder.state() == "new":
            provenance.drop_diffs(folder)
            remove(folder)
            for path in missing[1:]:
                with suppress(OSError):
                    path.rmdir()
        raise


def begin(folder: Folder, address: str, config: Config) -> None:
    """A folder that holds this configuration."""
    try:
        if (folder.dir / "config.json").exists():
            check_identity(folder, address, config)
        else:
            make(folder.dir)
            introduce(folder, address, config)
            refuse_lossy(config)
            write_json(folder.dir / "config.json", as_json(config))
    except OSError as error:
        raise StorageError(folder.dir, error) from None


@contextmanager
def locked(folder: Folder) -> Iterator[None]:
    """Hold the run's lock; the system releases it when this process ends, even if it is killed."""
    lock = FileLock(folder.dir / "lock", timeout=LOCK_PATIENCE, poll_interval=0.02)
    try:
        lock.acquire()
    except Timeout:
        raise Busy(f"{folder.id} is running elsewhere") from None
    except OSError as error:
        raise RequestError(str(StorageError(folder.dir / "lock", error))) from None
    try:
        yield
    finally:
        lock.release()


def lead(experiment: Experiment, config: Config, folder: Folder, options: Options, started: str) -> str:
    """Compute the run as its only process or its first rank, which tells the others whether there is work."""
    with ExitStack() as stack:
        try:
            state = prepare(stack, experiment, config, folder, options)
        except (RequestError, Busy) as error:
            options.ranks.tell(Busy(str(error)) if isinstance(error, Busy) else RequestError(str(error)))
            raise
        options.ranks.tell(state)
        return state or compute(experiment, config, folder, options, started)


def prepare(
    stack: ExitStack, experiment: Experiment, config: Config, folder: Folder, options: Options
) -> str:
    """Open the folder and take its lock until `stack` closes; returns a state where there is no work."""
    if folder.state() == "done":
        check_identity(folder, experiment.address, config)
        return "done"
    stack.enter_context(opened(folder, experiment.address, config))
    stack.enter_context(locked(folder))
    if state := state_if_ended(folder, options):
        return state
    code = code_of_launch(experiment, options)
    refuse_edited(options)
    if options.strict:
        refuse_change(folder, code)
    stack.enter_context(serving(stack.enter_context(keeping(code, folder.dir.parent, folder.dir))))
    return ""


def state_if_ended(folder: Folder, options: Options) -> str:
    """The state of a run that is done, has failed, or dies each time it is tried; else an empty text."""
    state = folder.state_unlocked()
    if state == "failed" and options.retry:
        (folder.dir / "error.txt").unlink()
        provenance.forgive(folder)
    elif state in ("done", "failed"):
        return state
    checkpoint = Checkpoints(folder.dir / "checkpoints").step()
    if (count := provenance.deaths(folder, checkpoint)) >= MOST_DEATHS:
        return give_up(folder, count)
    return ""


def give_up(folder: Folder, deaths: int) -> str:
    """Mark the run failed: it crashed too often without a new checkpoint."""
    times = f"died {deaths} times without a new checkpoint"
    text = f"{times} and without an error message: killed, or out of memory?\n"
    write(folder.dir / "error.txt", text, sync=True)
    return "failed"


def follow(experiment: Experiment, config: Config, folder: Folder, options: Options, started: str) -> str:
    """Compute as a rank above 0, if rank 0 found that there is work; it locks, logs and saves for all."""
    state = options.ranks.tell()
    if isinstance(state, Exception):
        raise state
    if state:
        return str(state)
    code = code_of_launch(experiment, options)
    stop, entry = Stop(), provenance.Entry(folder, options, experiment, code, -1.0, started)
    progress = Progress(folder.dir / "progress.json", None)
    with stop.listening():
        return finish(experiment, Run(folder, config, options, stop, entry, progress, execute))


def compute(experiment: Experiment, config: Config, folder: Folder, options: Options, started: str) -> str:
    """Call the experiment, capture its output, and write its outcome to files."""
    mend_tail(folder.dir / "metrics.jsonl")
    code, checkpoint = code_of_launch(experiment, options), Checkpoints(folder.dir / "checkpoints").step()
    note = change_of_code(folder, code)
    describe(folder, experiment, config, code, earlier_codes(folder))
    entry = provenance.Entry(folder, options, experiment, code, checkpoint, started)
    stop = Stop(folder.dir / "stop")
    terminal = sys.__stderr__ if options.foreground and sys.stderr.isatty() else None
    progress = Progress(folder.dir / "progress.json", terminal and open_terminal())
    outcome = "failed"
    try:
        with captured(folder.dir / "log.txt", options.foreground), stop.listening():
            if note:
                print(f"{note}: it is marked as computed by several codes", file=sys.stderr)
            run = Run(folder, config, options, stop, entry, progress, execute)
            outcome = finish(experiment, run)
    except RequestError:
        outcome = "refused"
        raise
    finally:
        progress.clear()
        stop.clear()
        entry.close(outcome)
    return outcome


def open_terminal() -> Any:
    """A stream that still reaches the terminal while standard error is captured."""
    return os.fdopen(os.dup(2), "w", errors="backslashreplace")


def finish(experiment: Experiment, run: Run) -> str:
    """Return done, paused or failed; write result.json when done, error.txt when failed."""
    try:
        seed_all(run.config.seed)
        if note := run.resume():
            print(f"checkpoint: {note}", file=sys.stderr)
        run.sinks = sinks(run)
        result = final_metrics(experiment.run(run.config, run))
        run.ranks.any(True)  # the run is done once every rank is
        if not run.rank:
            write_json(run.dir / "result.json", result, sync=True)
        return "done"
    except (Paused, KeyboardInterrupt):
        return "paused"
    except RequestError as error:
        run.ranks.leave(str(error))
        raise
    except BaseException as error:
        if isinstance(error, OSError) and error.errno in FULL:
            raise StorageError(Path(error.filename or run.dir), error) from None
        if (refusal := lacking(experiment.address, error)) is not error:
            raise refusal from None
        return fail(run, error, traceback.format_exc())
    finally:
        for sink in run.sinks:
            sink.close()


def fail(run: Run, error: BaseException, text: str) -> str:
    """Write the error to error.txt; where another rank was killed without an error, leave the run paused."""
    run.ranks.leave(text)
    faults = run.ranks.faults()
    print(text, file=sys.stderr, flush=True)
    if run.ranks.several and not faults and is_loss(error):
        print("another rank was killed; the same command goes on from the last checkpoint", file=sys.stderr)
        return "paused"
    if not run.rank:
        write(run.dir / "error.txt", faults + text, sync=True)
    return "failed"


def is_loss(error: BaseException) -> bool:
    """Whether another rank can no longer be reached: torch has no type of its own for these errors."""
    text = str(error)
    return isinstance(error, LostRank) or any(
        phrase in text for phrase in ("closed by peer", "reset by peer", "remote process exited")
    )


def sinks(run: Run) -> list[Any]:
    if not run.options.track or run.rank:
        return []
    from lineshaft.engine.track.mirror import open_sinks

    opened: list[Any] = open_sinks(run.options.track, run.folder)
    return opened
