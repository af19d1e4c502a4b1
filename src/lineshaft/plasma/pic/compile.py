"""One decorator for every compiled function: numba, fast-math, cached on disk where that is possible.

Of numba's thread pools, OpenMP's waits actively: on a machine that others use as well it was measured 8 times
slower than the plain work queue, since the waiting thread takes the core the other one needs.
"""

import hashlib
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

os.environ.setdefault("NUMBA_THREADING_LAYER", "workqueue")

import numba  # reads the setting above

config: Any = numba.config  # its settings are attributes that no type knows

FAST = {"nnan", "ninf", "nsz", "arcp", "contract", "afn", "reassoc"}


@cache
def cache_folder() -> str:
    """The user's cache, under a hash of the solver's sources: numba would miss a change in a callee."""
    digest = hashlib.sha256()
    for source in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(source.read_bytes())
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return str(home / "lineshaft" / "numba" / digest.hexdigest()[:16])


def kernel(function: Callable | None = None, **options: Any) -> Callable:
    """Compile with numba at the first call, once for each precision.

    The machine code is kept in `NUMBA_CACHE_DIR` or `cache_folder`, or beside the source; where nothing can
    be written, every process compiles for itself.
    """
    if function is None:
        return lambda function: kernel(function, **options)
    settings = {"error_model": "numpy", "fastmath": FAST, "boundscheck": False, **options}
    chosen, config.CACHE_DIR = config.CACHE_DIR, config.CACHE_DIR or cache_folder()
    try:
        return numba.njit(cache=True, **settings)(function)
    except RuntimeError:  # numba found no folder it may write
        return numba.njit(**settings)(function)
    finally:
        config.CACHE_DIR = chosen


def use_threads(threads: int) -> None:
    """Let the kernels use so many cores, as far as numba was started with them; results stay the same.

    A running pool cannot grow, and numba refuses to compile once NUMBA_NUM_THREADS says that it should.
    """
    os.environ["NUMBA_NUM_THREADS"] = str(config.NUMBA_NUM_THREADS)
    numba.set_num_threads(max(1, min(threads, config.NUMBA_NUM_THREADS)))
