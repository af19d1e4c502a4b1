"""How a run is executed: nothing here is part of what it computes or of its name."""

import os
import sys
from dataclasses import dataclass, field
from typing import Any

from lineshaft.engine.errors import RequestError, counted
from lineshaft.engine.run.ranks import ALONE, Ranks, here
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
    ranks: Ranks = field(default_factory=here)
    origin: dict[str, Any] = field(default_factory=dict)
    kept: Kept | None = None
    strict: bool = False

    @property
    def rank(self) -> int:
        return self.ranks.rank


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


def device(wanted: str, ranks: Ranks = ALONE) -> str:
    """`auto` is the GPU where there is one, for each rank its own; refuse one that torch cannot use."""
    if wanted == "cpu":
        return wanted
    import torch

    if wanted == "auto":
        wanted = "cuda" if torch.cuda.is_available() else "cpu"
    if wanted == "cuda" and ranks.several:
        wanted = f"cuda:{own_gpu(ranks, torch.cuda.device_count())}"
    if wanted == "cpu":
        return wanted
    try:
        torch.empty(0, device=wanted)
    except (RuntimeError, AssertionError) as error:
        raise RequestError(f"--device {wanted[:40]} cannot be used: {str(error).splitlines()[0]}") from None
    if ranks.several and wanted != "cpu":
        torch.cuda.set_device(wanted)
    return wanted


def own_gpu(ranks: Ranks, gpus: int) -> int:
    """The GPU of this rank: its number on this machine, or the only one that a scheduler lets it see."""
    if gpus == 1:
        return 0
    if ranks.local >= gpus:
        raise RequestError(
            f"LOCAL_RANK={ranks.local} but this machine has {counted(gpus, 'GPU')}: start fewer ranks on it"
        )
    return ranks.local
