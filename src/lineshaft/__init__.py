"""One experiment engine that drives four research systems."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars


def runs(
    folder: str | Path | None = None, experiment: str | None = None, where: Sequence[str] = ()
) -> "polars.DataFrame":
    """Every run as a row of a DataFrame: `lineshaft.runs(experiment="continual.stream", where=["lr<0.1"])`.

    `folder` is the folder of runs (default: $LINESHAFT_RUNS, else ./runs). Columns: id, experiment, name,
    state, diverged, the configuration (`method`, `method.alpha`), final metrics, start, end, threads, host.
    """
    import os

    from lineshaft.engine.table.frame import frame

    return frame(Path(folder or os.environ.get("LINESHAFT_RUNS") or "runs"), experiment, where)
