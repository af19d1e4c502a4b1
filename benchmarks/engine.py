"""What the engine itself costs beside other ways to run the same grid, all measured in one go.

python -m benchmarks.engine --json [--out FILE]
"""

import importlib.metadata
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.figures import main
from lineshaft.engine.run.options import cores
from lineshaft.engine.run.provenance import processor
from lineshaft.engine.run.store import folders

LRS = (0.1, 0.03, 0.01, 0.003, 0.001, 0.0003)
SEEDS = (0, 1, 2)
WORKERS = 2
REPEATS = 3
COMMAND = (sys.executable, "-c", "from lineshaft.cli import main; main()")
FINISHED = 10_000
INSTANT, INSTANT_WORKERS = 200, 8


def engine(say: Callable[[str], None] = lambda text: None) -> dict[str, Any]:
    """The engine's figures; seconds are wall time, medians of three where a repeat is cheap."""
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        say("a fresh import of torch._dynamo")
        fresh = median([spent([sys.executable, "-c", "import torch._dynamo"], home) for _ in range(REPEATS)])
        say("18 tiny runs, 2 workers")
        whole, own = sweep(home)
        bar = 1.3 * fresh + 0.1 * len(LRS) * len(SEEDS)
        say(f"{INSTANT} instant runs, {INSTANT_WORKERS} workers")
        instant = instant_runs(home)
        say("the same grid as plain processes and under Hydra")
        found = {name: peer(home, own) for name, peer in PEERS.items()}
        say(f"ls, summary, rename and a dry run over {FINISHED:,} finished runs")
        looks = looking(home)
    return {
        "overhead_s": round(whole - own, 3),
        "whole_s": round(whole, 3),
        "bar_s": round(bar, 3),
        "fresh_import_s": round(fresh, 3),
        "tiny_runs": len(LRS) * len(SEEDS),
        "workers": WORKERS,
        "peers": found,
        **instant,
        **looks,
        "cores": cores(),
        "processor": processor(),
    }


def median(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]


def found_here() -> dict[str, str]:
    """The environment in which processes elsewhere find this package."""
    path = [str(Path(__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    return os.environ | {"PYTHONPATH": os.pathsep.join(path)}


def spent(command: Sequence[str], home: Path) -> float:
    """Wall seconds of one command as a whole process, one thread a pool, bytecode kept for the next."""
    environment = found_here() | {f"{n}_NUM_THREADS": "1" for n in ("OMP", "MKL", "OPENBLAS")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    start = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=home, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    _, errors = process.communicate()
    seconds = time.perf_counter() - start
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{errors.decode()[-2000:]}")
    return seconds


def sweep(home: Path) -> tuple[float, float]:
    """Median wall seconds of the whole command, and the runs' own seconds shared by the workers."""
    tiny = str(Path(__file__).parent / "tiny.py")
    words = [f"lr={','.join(map(str, LRS))}", f"seed={SEEDS[0]}..{SEEDS[-1]}"]
    times = []
    for i in range(REPEATS):
        command = [*COMMAND, "sweep", tiny, *words, "--workers", str(WORKERS), "--runs", f"sweep{i}"]
        times.append(spent(command, home))
    own = sum(folder.result()["seconds"] for folder in folders(home / f"sweep{REPEATS - 1}"))
    return median(times), own / WORKERS


def instant_runs(home: Path) -> dict[str, Any]:
    """The whole command over runs that return at once, more of them side by side than there are cores."""
    words = [str(Path(__file__).parent / "finished.py"), f"seed=0..{INSTANT - 1}"]
    whole = spent([*COMMAND, "sweep", *words, "--workers", str(INSTANT_WORKERS), "--runs", "instant"], home)
    return {
        "instant_runs": INSTANT,
        "instant_workers": INSTANT_WORKERS,
        "instant_run_s": round(whole / INSTANT, 4),
    }


def plain(home: Path, own: float) -> float:
    """Fresh processes, two at a time."""
    grid = [(lr, seed) for lr in LRS for seed in SEEDS]
    start = time.perf_counter()
    for i in range(0, len(grid), WORKERS):
        batch = [
            subprocess.Popen(
                [sys.executable, "-m", "benchmarks.peers.plain", str(lr), str(seed)],
                cwd=home,
                stdout=subprocess.DEVNULL,
                env=found_here() | {"OMP_NUM_THREADS": "1"},
            )
            for lr, seed in grid[i : i + WORKERS]
        ]
        if any(process.wait() for process in batch):
            raise RuntimeError("a plain process failed")
    return round(time.perf_counter() - start - own, 3)


def hydra(home: Path, own: float, *more: str) -> float | None:
    """Hydra's own launchers; None where the extra `bench` is not installed."""
    if not installed("hydra-core"):
        return None
    command = [sys.executable, "-m", "benchmarks.peers.hydra_sweep", "-m", *more]
    spent([*command, f"lr={LRS[0]}"], home)  # its bytecode, so that it is as warm as ours
    words = [f"lr={','.join(map(str, LRS))}", f"seed={','.join(map(str, SEEDS))}"]
    return round(spent([*command, *words], home) - own, 3)


def joblib(home: Path, own: float) -> float | None:
    """The same through Hydra's launcher for several processes."""
    if not installed("hydra-joblib-launcher"):
        return None
    return hydra(home, own, "hydra/launcher=joblib", f"hydra.launcher.n_jobs={WORKERS}")


def installed(package: str) -> bool:
    """By its metadata: `find_spec` of a module within a package that is missing is an error."""
    try:
        importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


PEERS: dict[str, Callable[[Path, float], float | None]] = {
    "plain processes": plain,
    "hydra basic": hydra,
    "hydra joblib": joblib,
}


def looking(home: Path) -> dict[str, Any]:
    """Verbs over many finished runs, the files' cache warm: seconds, and the most memory that each took."""
    from benchmarks.finished import make_finished_runs

    make_finished_runs(home / "many", FINISHED)
    found: dict[str, Any] = {"runs": FINISHED}
    for verb, words in VERBS.items():
        command = [*MEASURED, *words, "--runs", "many"]
        spent(command, home)
        times, peaks = [], []
        for _ in range(REPEATS):
            times.append(spent(command, home))
            peaks.append(float((home / "peak").read_text()))
        found |= {f"{verb}_s": round(median(times), 3), f"{verb}_mb": round(max(peaks), 1)}
    return found


GRID = ("lr=log(0.001,0.5,10)", "width=10..100..10", f"epochs=1..{FINISHED // 500}", "seed=0..4")
VERBS = {
    "ls": ("ls",),
    "summary": ("summary",),
    "rename": ("rename",),
    "dry_run": ("sweep", str(Path(__file__).parent / "finished.py"), *GRID, "--dry-run"),
}
"""What is asked of many runs; renaming shows what it would do, the dry run is of a grid as large."""

MEASURED = (
    sys.executable,
    "-c",
    "import resource, atexit, pathlib; atexit.register(lambda: pathlib.Path('peak').write_text("
    "str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)));"
    "from lineshaft.cli import main; main()",
)

if __name__ == "__main__":
    main(engine)
