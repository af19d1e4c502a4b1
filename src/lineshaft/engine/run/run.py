"""What every long job needs, handed to an experiment's `run(config, run)`."""

import errno
import json
import math
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from lineshaft.engine.data.dataset import Dataset, checked
from lineshaft.engine.errors import Busy, RequestError
from lineshaft.engine.run.checkpoint import Checkpoints, own_random_states, random_states
from lineshaft.engine.run.options import Options
from lineshaft.engine.run.progress import Progress
from lineshaft.engine.run.provenance import Entry
from lineshaft.engine.run.ranks import Ranks
from lineshaft.engine.run.state import numbers
from lineshaft.engine.run.stop import Paused, Stop
from lineshaft.engine.run.store import Folder, storage_error
from lineshaft.engine.spec.config import Config

if TYPE_CHECKING:
    import numpy as np

    from lineshaft.engine.track.mirror import Sink

T = TypeVar("T")


Execute = Callable[[str, Config, Path, Options], tuple[Folder, str]]
"""Computes a run: address, configuration, folder of runs, options -> its folder and its state."""


class Run:
    """One execution: where to compute and with what, what was saved, and how to log, save and stop."""

    def __init__(
        self,
        folder: Folder,
        config: Config,
        options: Options,
        stop: Stop,
        entry: Entry,
        progress: Progress,
        execute: Execute,
    ) -> None:
        self.folder, self.config, self.options = folder, config, options
        self.state: Any = None
        self.relaunched = False
        self.sinks: list[Sink] = []
        self._execute = execute
        self._stop, self._entry, self._progress = stop, entry, progress
        self._checkpoints = Checkpoints(folder.dir / "checkpoints")
        self._saved = time.monotonic()
        self._best = self._checkpoints.best_score()

    @property
    def dir(self) -> Path:
        return self.folder.dir

    @property
    def device(self) -> str:
        return self.options.device

    @property
    def threads(self) -> int:
        return self.options.threads

    @property
    def ranks(self) -> Ranks:
        return self.options.ranks

    @property
    def rank(self) -> int:
        return self.ranks.rank

    @property
    def world(self) -> int:
        return self.ranks.world

    def log(self, step: int, values: Mapping[str, float] | None = None, **more: float) -> None:
        """Append one row to metrics.jsonl; for each step the last row counts."""
        if self.rank:
            return
        metrics = numbers({**(values or {}), **more}, "run.log")
        if "step" in metrics:
            raise ValueError("run.log: a metric cannot be called step, which is the number of the row")
        row = json.dumps({"step": int(step), **metrics}) + "\n"
        append(self.dir / "metrics.jsonl", row.encode())
        self._progress.beat(int(step), metrics)
        for sink in self.sinks:
            sink.log(int(step), metrics)

    def checkpoint(
        self, step: int, make_state: Callable[[], Any], score: float | None = None, sharded: bool = False
    ) -> None:
        """Save `make_state()` when one is due, the score is the best so far, or a stop was asked for.

        After a stop the run ends here as paused. `score` is in the direction of `Config.objective`.

        All ranks of a run call this in the same steps; they save and stop together. `make_state` is called on
        every rank, so it may communicate. Rank 0's state is stored, or with `sharded` each rank's own.
        """
        improves = self._improves(score)
        due = time.monotonic() - self._saved >= self.options.checkpoint_every
        stopping, due, best = self.ranks.any(
            self._stop.asked, due and not self.rank, improves and not self.rank
        )
        if due or best or stopping:
            self._save(step, make_state(), score, best, sharded)
            self._saved = time.monotonic()
            self._best = score if best else self._best
        if stopping:
            raise Paused

    def _save(self, step: int, state: Any, score: float | None, best: bool, sharded: bool) -> None:
        """Save the state and the random states of all ranks in one file."""
        randoms = self.ranks.gather(random_states())
        parts = self.ranks.gather(state) if sharded else state
        if not self.rank:
            self._checkpoints.save(step, parts, score, best, randoms, sharded, self._logged())

    def _logged(self) -> int:
        """Bytes of metrics.jsonl so far."""
        try:
            return (self.dir / "metrics.jsonl").stat().st_size
        except FileNotFoundError:
            return 0

    def _drop_later_rows(self) -> None:
        """Cut what was logged after the checkpoint that this run resumes from: it is computed again."""
        logged = self._checkpoints.logged
        if not self.rank and logged is not None and self._logged() > logged:
            os.truncate(self.dir / "metrics.jsonl", logged)

    def _improves(self, score: float | None) -> bool:
        """Whether it is the best so far; a score that is not finite never is."""
        if score is None:
            return False
        if self.config.objective is None:
            raise ValueError("a checkpoint's score needs Config.objective = (metric, 'max' or 'min')")
        sign = 1 if self.config.objective[1] == "max" else -1
        return math.isfinite(score) and (self._best is None or sign * score > sign * self._best)

    def array(self, name: str, values: Any) -> None:
        """Save arrays/NAME.npy; comparisons and figures read these."""
        import numpy as np

        if self.rank:
            return
        path = self.dir / "arrays" / f"{name}.npy"
        temporary = path.with_name(f".{path.name}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("wb") as file:
                np.save(file, as_array(values), allow_pickle=False)
            os.replace(temporary, path)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise storage_error(path, error) from None

    def progress(self, items: Iterable[T], what: str) -> Iterator[T]:
        """The items, with progress in the terminal, in `ls` and in log.txt."""
        return iter(items) if self.rank else self._progress.track(items, what)

    def data(self, dataset: Dataset) -> Path:
        """The data set's folder; checksums are verified and go into provenance."""
        home, sums = checked(dataset)
        known = self._entry.known_data().get(dataset.name, sums)
        if known != sums:
            raise RequestError(
                f"data set {dataset.name} changed since this run began; remove the run or restore it"
            )
        self._entry.values["data"][dataset.name] = sums
        self._entry.save()
        return home

    def need(self, config: Config) -> Folder:
        """A finished parent run, computed first if it is missing; if it runs elsewhere, waited for."""
        from lineshaft.engine.spec.experiment import address_of

        address, runs = address_of(config), self.dir.parent.parent
        while True:
            try:
                with own_random_states(self.device):
                    folder, state = self._execute(address, config, runs, self.options)
            except Busy:
                if any(self.ranks.any(self._stop.asked)):
                    raise Paused from None
                time.sleep(0.5)
                continue
            if state == "paused":
                raise Paused
            if state == "failed":
                raise RuntimeError(f"the run needed first has failed: {folder.id}\n{folder.error()}")
            if folder.id not in self._entry.values["parents"]:
                self._entry.values["parents"].append(folder.id)
                self._entry.save()
            return folder

    def resume(self) -> str:
        """Load the last good checkpoint of this run, else the parent's best; says what a user should know."""
        step, self.state, note = self._checkpoints.load(rank=self.rank, world=self.world)
        if (first := self.ranks.tell(step)) != step:
            raise RuntimeError(
                f"rank {self.rank} reads the checkpoint of step {step} and rank 0 that of step {first}: "
                f"{self.dir} must be one folder that all machines share"
            )
        self._drop_later_rows()
        if step < 0 and self.config.parent is not None:
            self.state, note = parent_state(self.config, self.dir.parent.parent, self.ranks)
            self.relaunched = True
        return note


def parent_state(config: Config, runs: Path, ranks: Ranks) -> tuple[Any, str]:
    """The best checkpoint of the run a configuration was relaunched from, and what to tell the user."""
    from lineshaft.engine.spec.experiment import beside, find
    from lineshaft.engine.spec.names import name
    from lineshaft.engine.spec.words import validated

    assert config.parent is not None
    experiment = find(beside(config, config.parent.experiment))
    parent = validated(experiment.config, config.parent.config)
    folder = Folder(runs / experiment.name / name(parent, config.parent.version))
    state, note = Checkpoints(folder.dir / "checkpoints").best(ranks.rank, ranks.world)
    if state is None:
        raise RequestError(
            f"{folder.dir} holds no checkpoint to start from; run it first, or pick another parent"
        )
    return state, note and f"of the parent {folder.id}: {note}"


def append(path: Path, data: bytes) -> None:
    """One write at the end of a file: a kill tears at most the last line, which is cut on opening."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            if os.write(handle, data) < len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        finally:
            os.close(handle)
    except OSError as error:
        raise storage_error(path, error) from None


def as_array(values: Any) -> "np.ndarray[Any, Any]":
    import numpy as np

    return np.asarray(values.detach().cpu() if hasattr(values, "detach") else values)
