"""How a run is executed: nothing here is part of what it computes or of its name."""

import os
import sys
from dataclasses import dataclass, field
from typing import Any

from lineshaft.engine.errors import RequestError
from lineshaft.engine.spec.frozen import Kept


@dataclass(frozen=True)
class Options:
    """Launch options. `origin` is what a launcher found out once for all its runs (commit, versions).

    `kept` is the code it was launched with; `strict` refuses to go on with what other code computed.
    """

    device: str = "auto"
    threads: int = 1
    checkpoint_every: float = 30.0
    retry: bool = False
    foreground: bool = False
    track: tuple[str, ...] = ()
    rank: int = field(default_factory=lambda: int(os.environ.get("RANK", 0)))
    world: int = field(default_factory=lambda: int(os.environ.get("WORLD_SIZE", 1)))
    origin: dict[str, Any] = field(default_factory=dict)
    kept: Kept | None = None
    strict: bool = False


def cores() -> int:
    """Cores this process may use, not those the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def set_threads(count: int) -> None:
    """Limit every pool of threads: results depend on their number; tiny networks are slower on two.

    Pools take their size from the environment when they are imported, so this comes before that where it can.
    numba refuses another NUMBA_NUM_THREADS once its threads run: it is asked for fewer instead.
    """
    numba = sys.modules.get("numba")
    for name in ("OMP", "MKL", "OPENBLAS", "NUMEXPR", "VECLIB_MAXIMUM", *(() if numba else ("NUMBA",))):
        os.environ[f"{name}_NUM_THREADS"] = str(count)
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(count)
    if numba:
        numba.set_num_threads(min(count, numba.config.NUMBA_NUM_THREADS))


def device(wanted: str) -> str:
    """`auto` is the GPU where there is one; one that torch cannot use is refused."""
    if wanted == "cpu":
        return wanted
    import torch

    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=wanted)
    except (RuntimeError, AssertionError) as error:
        raise RequestError(f"--device {wanted[:40]} cannot be used: {str(error).splitlines()[0]}") from None
    return wanted
