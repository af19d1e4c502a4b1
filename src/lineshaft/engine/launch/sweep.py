"""A sweep for callers in Python: the cells computed side by side, without a board in the terminal."""

from collections.abc import Sequence
from pathlib import Path

from lineshaft.engine.launch.local import Launcher, places, warm_up
from lineshaft.engine.launch.plan import Cell
from lineshaft.engine.launch.task import tasks_of
from lineshaft.engine.run.options import Options, cores


def compute(
    cells: Sequence[Cell], home: Path, workers: int | None, threads: int | None, device: str, retry: bool
) -> list[str]:
    """Compute what is left of the cells below `home`; the ids of their runs, in the order of the cells."""
    at_once, devices = places(len(cells), workers)
    each = threads or max(1, cores() // at_once)
    tasks, refusals = tasks_of(cells, home)
    warm_up([address for address, _ in cells], each)
    devices = devices if device == "auto" else [device]
    Launcher(tasks, Options(device, each, retry=retry), at_once, devices=devices, refusals=refusals).run()
    return [task.folder.id for task in tasks]
