"""Executing one run: lock, resume, compute, save; whatever happens is told by the files it leaves."""

import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from lineshaft.engine.errors import Busy, RequestError
from lineshaft.engine.run import provenance
from lineshaft.engine.run.checkpoint import Checkpoints, seed_all
from lineshaft.engine.run.description import changed_files, describe, description
from lineshaft.engine.run.identity import check_identity
from lineshaft.engine.run.log import captured
from lineshaft.engine.run.options import Options, device, set_threads
from lineshaft.engine.run.progress import Progress
from lineshaft.engine.run.run import Run
from lineshaft.engine.run.stop import Paused, Stop
from lineshaft.engine.run.store import FULL, Folder, StorageError, mend_tail, remove, write, write_json
from lineshaft.engine.spec.code import Code
from lineshaft.engine.spec.config import Config, as_json
from lineshaft.engine.spec.experiment import Experiment, find, lacking
from lineshaft.engine.spec.frozen import keep, serving
from lineshaft.engine.spec.names import name
from lineshaft.engine.spec.plain import at_home

LOCK_PATIENCE = 0.5
MOST_DEATHS = 3


def execute(address: str, config: Config, runs: Path, options: Options | None = None) -> tuple[Folder, str]:
    """Compute the run of this configuration unless it is done; returns its folder and its state.

    Raises Busy where another process computes it, RequestError where the request is wrong.
    """
    started, options = provenance.now(), options or Options()
    options = replace(options, device=device(options.device))
    set_threads(options.threads)
    experiment = find(address)
    folder = Folder(runs.resolve() / experiment.name / name(config))
    if folder.state() == "done":
        check_identity(folder, experiment.address, config)
        return folder, "done"
    with at_home(experiment.home):
        if options.rank:
            return folder, follow(experiment, config, folder, options, started)
        with opened(folder, experiment.address, config), locked(folder):
            return folder, attempt(experiment, config, folder, options, started)


@contextmanager
def opened(folder: Folder, address: str, config: Config) -> Iterator[None]:
    """The run's folder, made where it is missing and taken away again if the request proves wrong.

    A request may prove wrong late, after hours of training: what was computed by then stays.
    """
    existed = os.access(folder.dir, os.F_OK)
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
            remove(folder)
        raise


def begin(folder: Folder, address: str, config: Config) -> None:
    """A folder that holds this configuration."""
    try:
        if (folder.dir / "config.json").exists():
            check_identity(folder, address, config)
        else:
            folder.dir.mkdir(parents=True, exist_ok=True)
            write_json(folder.dir / "config.json", as_json(config))
    except OSError as error:
        raise StorageError(folder.dir, error) from None


@contextmanager
def locked(folder: Folder) -> Iterator[None]:
    """Hold the run's lock; it vanishes with this process however that ends."""
    try:
        with FileLock(folder.dir / "lock", timeout=LOCK_PATIENCE, poll_interval=0.02):
            yield
    except Timeout:
        raise Busy(f"{folder.id} is running elsewhere") from None


def attempt(experiment: Experiment, config: Config, folder: Folder, options: Options, started: str) -> str:
    """Run unless the files say that it is finished, failed, or dies each time it is tried."""
    state = folder.state_unlocked()
    if state == "failed" and options.retry:
        (folder.dir / "error.txt").unlink()
        provenance.forgive(folder)
    elif state in ("done", "failed"):
        return state
    checkpoint = Checkpoints(folder.dir / "checkpoints").step()
    if (count := provenance.deaths(folder, checkpoint)) >= MOST_DEATHS:
        return give_up(folder, count)
    mend_tail(folder.dir / "metrics.jsonl")
    code = code_of_launch(experiment, options)
    codes, note = history(folder, code, options.strict) if checkpoint >= 0 else ([], "")
    with serving(options.kept or keep(code, folder.dir.parents[1])):
        describe(folder, experiment, config, code, codes)
        entry = provenance.Entry(folder, options, experiment, code, checkpoint, started)
        return compute(experiment, config, folder, options, entry, note)


def code_of_launch(experiment: Experiment, options: Options) -> Code:
    """What the launcher found, whatever the files hold now; else what this process imported."""
    kept = options.kept
    return kept.code() if kept is not None and kept.is_of(experiment.module) else experiment.code


def history(folder: Folder, code: Code, strict: bool) -> tuple[list[str], str]:
    """The codes that computed what a run goes on from, and what to say where this one is another."""
    codes = [str(each) for each in description(folder).get("codes", [])]
    if not codes or codes[-1] == code.hash:
        return codes, ""
    files = ", ".join(changed_files(folder, code)[:5]) or "a file of its project"
    if strict:
        raise RequestError(
            f"{folder.id}: {files} changed since it was computed so far; without --strict it goes on and is "
            f"marked, or remove the run to compute it anew"
        )
    return codes, f"goes on with other code than it was computed with so far ({files} changed)"


def give_up(folder: Folder, deaths: int) -> str:
    """The run has failed: it would die for ever."""
    text = f"died {deaths} times without a new checkpoint and without a word: killed, or out of memory?\n"
    write(folder.dir / "error.txt", text, sync=True)
    return "failed"


def follow(experiment: Experiment, config: Config, folder: Folder, options: Options, started: str) -> str:
    """A rank above 0 computes along and leaves no file: rank 0 locks, logs and saves for all."""
    code = code_of_launch(experiment, options)
    stop, entry = Stop(), provenance.Entry(folder, options, experiment, code, -1.0, started)
    with stop.listening():
        return finish(
            experiment,
            Run(folder, config, options, stop, entry, Progress(folder.dir / "progress.json", None)),
        )


def compute(
    experiment: Experiment,
    config: Config,
    folder: Folder,
    options: Options,
    entry: provenance.Entry,
    note: str = "",
) -> str:
    """Call the experiment, its output captured, and turn its end into files."""
    stop = Stop(folder.dir / "stop")
    terminal = sys.__stderr__ if options.foreground and sys.stderr.isatty() else None
    progress = Progress(folder.dir / "progress.json", terminal and open_terminal())
    outcome = "failed"
    try:
        with captured(folder.dir / "log.txt", options.foreground), stop.listening():
            if note:
                print(f"code: {note}", file=sys.stderr)
            run = Run(folder, config, options, stop, entry, progress)
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
    """A stream to the terminal that stays one while standard error is captured."""
    return os.fdopen(os.dup(2), "w")


def finish(experiment: Experiment, run: Run) -> str:
    """done, paused or failed, with result.json, nothing or error.txt."""
    try:
        seed_all(run.config.seed)
        if note := run.resume():
            print(f"checkpoint: {note}", file=sys.stderr)
        run.sinks = sinks(run)
        result = {str(k): float(v) for k, v in experiment.run(run.config, run).items()}
        if not run.rank:
            write_json(run.dir / "result.json", result, sync=True)
        return "done"
    except (Paused, KeyboardInterrupt):
        return "paused"
    except RequestError:
        raise
    except (Exception, SystemExit) as error:
        if isinstance(error, OSError) and error.errno in FULL:
            raise StorageError(Path(error.filename or run.dir), error) from None
        if (refusal := lacking(experiment.address, error)) is not error:
            raise refusal from None
        text = traceback.format_exc()
        print(text, file=sys.stderr, flush=True)
        if not run.rank:
            write(run.dir / "error.txt", text, sync=True)
        return "failed"
    finally:
        for sink in run.sinks:
            sink.close()


def sinks(run: Run) -> list[Any]:
    if not run.options.track or run.rank:
        return []
    from lineshaft.engine.track.mirror import open_sinks

    opened: list[Any] = open_sinks(run.options.track, run.folder)
    return opened
