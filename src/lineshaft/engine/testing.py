"""What tests of an experiment need: a run without an engine around it, and every cut that a run must survive.

def test_a_cut_run_ends_as_an_undisturbed_one(tmp_path):
    assert_resumes("./mine.py", Config(rounds=5), tmp_path)
"""

import json
import signal
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from lineshaft.engine.run.description import introduce
from lineshaft.engine.run.execute import execute
from lineshaft.engine.run.options import Options
from lineshaft.engine.run.progress import Progress
from lineshaft.engine.run.ranks import ALONE
from lineshaft.engine.run.run import Run
from lineshaft.engine.run.stop import Paused, Stop
from lineshaft.engine.run.store import Folder, write_json
from lineshaft.engine.spec.config import Config, as_json
from lineshaft.engine.spec.experiment import address_of
from lineshaft.engine.spec.names import name, name_of

TIMES = ("time", "second", "mpush", "_per_s")
"""Parts of names of metrics that may differ between two executions: how long something took."""


class FakeRun(Run):
    """A `Run` for calling `run(config, FakeRun(...))` directly: its files are real, it needs no lock.

    `state` is what the run resumes from. `cut_at` ends it with `Paused` at that call of `checkpoint` (0 is
    the first). `saved` holds the state of every call: resume from the last one.
    """

    def __init__(
        self, directory: Path, config: Config | None = None, state: Any = None, cut_at: int | None = None
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        progress = Progress(directory / "progress.json", None)
        entry: Any = _Entry()
        options = Options(device="cpu", ranks=ALONE)
        super().__init__(
            Folder(directory), config or Config.model_validate({}), options, Stop(), entry, progress, execute
        )
        self.state, self.cut_at, self.saved = state, cut_at, []
        self.scores: list[float | None] = []

    saved: list[Any]

    def checkpoint(
        self, step: int, make_state: Any, score: float | None = None, sharded: bool = False
    ) -> None:
        """Keep the state in `saved`; the run ends here where it is to be cut."""
        self.saved.append(make_state())
        self.scores.append(score)
        if len(self.saved) - 1 == self.cut_at:
            raise Paused


class _Entry:
    """Provenance that nobody reads."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {"data": {}, "parents": []}

    def known_data(self) -> dict[str, dict[str, str]]:
        return {}

    def save(self) -> None:
        """Nothing: the folder of a FakeRun holds what the experiment wrote alone."""


def complete(address: str, config: Config, runs: Path, options: Options | None = None) -> Folder:
    """The folder of the finished run; AssertionError with the run's own error where it fails."""
    folder, state = execute(address, config, runs, options or Options(device="cpu"))
    assert state == "done", f"{folder.id} is {state}\n{folder.error()}"
    return folder


def assert_resumes(
    address: str,
    config: Config,
    directory: Path,
    cuts: Sequence[int] | None = None,
    how: Literal["stop", "kill"] = "stop",
    ignore: Sequence[str] = TIMES,
) -> Folder:
    """Compute the run whole, then once for each cut, and compare every number; the folder of the whole run.

    `cuts` are calls of `run.checkpoint`, 0 the first (default: all, at most 12 spread evenly). At each the
    run is stopped (it saves, and pauses) or killed (what it did since the checkpoint before is lost), and
    resumed. Final metrics, logged rows and arrays must be equal to the last bit, except those whose name has
    a part in `ignore`.
    """
    with counted() as calls:
        whole = complete(address, config, directory / "whole", Options(device="cpu", checkpoint_every=0))
    assert calls, f"{address} never calls run.checkpoint: what it computed is lost whenever it is stopped"
    places = list(cuts) if cuts is not None else spread(len(calls))
    for place in places:
        assert place < len(calls), f"cut {place}: the run calls checkpoint only {len(calls)} times"
        runs = directory / f"{how}-{place}"
        again = Options(device="cpu", checkpoint_every=0)
        with interrupted(place, how):
            folder, state = execute(address, config, runs, again)
        assert state == "paused", f"cut {place}: the run is {state}\n{folder.error()}"
        assert_same(whole, complete(address, config, runs, again), f"{how} at checkpoint {place}", ignore)
    return whole


def spread(count: int, most: int = 12) -> list[int]:
    """At most `most` of the numbers below `count`, the first and the last among them.

    >>> spread(3), spread(100, 3)
    ([0, 1, 2], [0, 50, 99])
    """
    if count <= most:
        return list(range(count))
    return [round(i * (count - 1) / (most - 1)) for i in range(most)]


@contextmanager
def counted() -> Iterator[list[int]]:
    """The steps of all calls of `run.checkpoint` made meanwhile."""
    steps: list[int] = []

    def note(run: Run, step: int) -> None:
        steps.append(step)

    with before_checkpoint(note):
        yield steps


@contextmanager
def interrupted(place: int, how: Literal["stop", "kill"]) -> Iterator[None]:
    """Stop or kill the run at one call of `run.checkpoint`."""
    calls = iter(range(1 << 60))

    def cut(run: Run, step: int) -> None:
        if next(calls) == place:
            if how == "kill":
                raise KeyboardInterrupt
            run._stop.signals.add(signal.SIGTERM)

    with before_checkpoint(cut):
        yield


@contextmanager
def before_checkpoint(act: Any) -> Iterator[None]:
    """Call `act(run, step)` first at every checkpoint of every run meanwhile."""
    original = Run.checkpoint

    def checkpoint(self: Run, step: int, *given: Any, **options: Any) -> None:
        act(self, step)
        original(self, step, *given, **options)

    Run.checkpoint = checkpoint  # type: ignore[method-assign]
    try:
        yield
    finally:
        Run.checkpoint = original  # type: ignore[method-assign]


def assert_same(first: Folder, second: Folder, what: str = "", ignore: Sequence[str] = TIMES) -> None:
    """Two runs left the same final metrics, logged rows and arrays, bit by bit."""
    compare(kept(first.result(), ignore), kept(second.result(), ignore), f"{what}: final metrics")
    compare(logged(first, ignore), logged(second, ignore), f"{what}: logged rows")
    compare(digests(first, ignore), digests(second, ignore), f"{what}: arrays")


def kept(values: Mapping[str, Any], ignore: Iterable[str]) -> dict[str, str]:
    """Values as text, in which NaN equals itself."""
    return {k: repr(v) for k, v in values.items() if not any(part in k for part in ignore)}


def logged(folder: Folder, ignore: Sequence[str]) -> dict[int, dict[str, str]]:
    """Step -> the row of metrics.jsonl that counts."""
    return {row["step"]: kept(row, ignore) for row in folder.metrics()}


def digests(folder: Folder, ignore: Iterable[str]) -> dict[str, Any]:
    arrays = [array for array in folder.arrays() if not any(part in array for part in ignore)]
    loaded = {array: folder.array(array) for array in arrays}
    return {array: (values.dtype, values.shape, values.tobytes()) for array, values in loaded.items()}


def compare(first: Mapping[Any, Any], second: Mapping[Any, Any], what: str) -> None:
    for key in [*first, *(key for key in second if key not in first)]:
        a, b = first.get(key, "nothing"), second.get(key, "nothing")
        assert a == b, f"{what}: {key} was {a!s:.200} and is {b!s:.200}"


def finished(
    runs: Path,
    config: Config,
    metrics: Mapping[str, float],
    arrays: Mapping[str, Any] | None = None,
    rows: Iterable[Mapping[str, float]] = (),
    **provenance: Any,
) -> Folder:
    """Write the folder of a finished run with planted numbers: what a claim or a figure is tested on."""
    import numpy as np

    address = address_of(config)
    folder = Folder(runs / name_of(address) / name(config))
    (folder.dir / "arrays").mkdir(parents=True, exist_ok=True)
    introduce(folder, address, config)
    write_json(folder.dir / "config.json", as_json(config))
    write_json(folder.dir / "result.json", {key: float(value) for key, value in metrics.items()})
    write_json(folder.dir / "provenance.json", [{"experiment": address, **provenance}])
    lines = [json.dumps(dict(row)) + "\n" for row in rows]
    (folder.dir / "metrics.jsonl").write_text("".join(lines))
    for key, values in (arrays or {}).items():
        file = folder.dir / "arrays" / f"{key}.npy"
        file.parent.mkdir(parents=True, exist_ok=True)
        np.save(file, np.asarray(values), allow_pickle=False)
    return folder
