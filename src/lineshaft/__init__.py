"""One experiment engine that drives four research systems."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars

    from lineshaft.engine import Config


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


def sweep(
    experiment: "str | Sequence[Config]",
    *words: str,
    folder: str | Path | None = None,
    workers: int | None = None,
    threads: int | None = None,
    device: str = "auto",
    retry: bool = False,
) -> "polars.DataFrame":
    """Compute a grid as `lineshaft sweep` does; its runs as rows, also those that failed or are paused.

    `lineshaft.sweep("./mine.py", "lr=log(1e-3,1e-1,3)", "seed=0..4")`, or a list of configurations. What is
    done is not computed again. Call it below `if __name__ == "__main__":`, for processes are started.
    """
    import os

    import polars

    from lineshaft.engine.launch.plan import cells
    from lineshaft.engine.launch.sweep import compute

    home = Path(folder or os.environ.get("LINESHAFT_RUNS") or "runs")
    ids = compute(cells(experiment, words), home, workers, threads, device, retry)
    return runs(home).filter(polars.col("id").is_in(ids))
