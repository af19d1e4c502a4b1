"""plasma.validate: what theory knows of a plasma, measured and held to tolerances."""

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from lineshaft import engine
from lineshaft.engine import Run
from lineshaft.plasma.pic.compile import use_threads
from lineshaft.plasma.validation.checks import CHECKS, tolerance


class Config(engine.Config):
    """Hold the solver to theory: frequencies, growth, dispersion, conservation, restart. Fails where one
    fails.
    """

    version: ClassVar[int] = 1
    objective: ClassVar = ("failed", "min")

    precision: Literal["float32", "float64"] = Field("float64", description="of the particles")


def run(config: Config, run: Run) -> dict[str, float]:
    """Each check in turn: `NAME`, `NAME/theory`, `NAME/error` and whether it `failed`."""
    use_threads(run.threads)
    metrics, failed = {}, 0
    for name in run.progress(list(CHECKS), "checking"):
        real = np.dtype(config.precision).type
        measured, expected = CHECKS[name](real)
        error = abs(measured / expected - 1) if expected else abs(measured)
        metrics |= {name: measured, f"{name}/theory": expected, f"{name}/error": error}
        metrics[f"{name}/tolerance"] = tolerance(name, real)
        failed += not error <= tolerance(name, real)
    return {**metrics, "failed": float(failed)}
