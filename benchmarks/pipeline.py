"""How the pipeline's time and memory grow with the number of records, under a limit of the address space.

    python -m benchmarks.pipeline [--rows N ...] [--limit 6000] > docs/results/bench-pipeline.json

Tables of so many interactions, a fiftieth as many items, and rows of each kind that is dropped go through
parse, reduce and split in a process whose address space is limited (megabytes, as `ulimit -v` does); one
DuckDB thread, 500 MB for it. A pipeline of 200 rows goes first: `start_computing_s` is what loading the
libraries and opening the back end costs, whatever the size.

Then the largest size goes through once more in processes that are killed (SIGKILL) in the middle of each
stage, as soon as it writes, and started again: its tables must hold what the others hold.
"""

import argparse
import json
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.figures import stamped
from lineshaft.engine.run.execute import execute
from lineshaft.recommend.experiments.pipeline import Config
from lineshaft.recommend.pipeline.backend import DuckDB
from lineshaft.recommend.pipeline.sources import Tables

PER_ITEM, FEWEST = 50, 100
STAGES = ("parse", "reduce", "split")
TABLES = ("items", "edges", "interactions")


def written(folder: Path, rows: int) -> Tables:
    """Interactions of rows / 20 users with rows / 50 items; a tenth planned, given up or of unknown items."""
    folder.mkdir()
    number = max(rows // PER_ITEM, FEWEST)
    rng = np.random.default_rng(rows)
    status = np.array(["completed"] * 18 + ["planned", "dropped"])[rng.integers(20, size=rows)]
    items = rng.zipf(1.3, rows) % int(number * 1.02)
    frame = {
        "user": [f"user {n}" for n in rng.integers(max(rows // 20, 1), size=rows)],
        "item": [f"i{n}" for n in items],
        "rating": rng.integers(0, 11, rows).astype(float),
        "status": status,
    }
    pl.DataFrame(frame).write_parquet(folder / "pairs.parquet")
    names = [f"i{n}" for n in range(number)]
    pl.DataFrame({"item": names, "title": [f"Title {n}" for n in names]}).write_parquet(
        folder / "items.parquet"
    )
    return Tables(interactions=str(folder / "pairs.parquet"), items=str(folder / "items.parquet"))


def measured(rows: int, limit: int) -> dict[str, float]:
    """One process: seconds of its stages, and what it held at most."""
    resource.setrlimit(resource.RLIMIT_AS, (limit * 10**6, limit * 10**6))
    with tempfile.TemporaryDirectory() as name:
        first = stages(Path(name) / "first", 200)
        base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
        start = round(sum(value for key, value in first.items() if key.endswith("_computing_s")), 2)
        found = {
            "rows": rows,
            "before_mb": base,
            "start_computing_s": start,
            **stages(Path(name) / "all", rows),
        }
    found["most_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    return found


def stages(folder: Path, rows: int) -> dict[str, float]:
    """Seconds of each stage, of a clock and of computing, and the interactions kept."""
    source, backend, found = written(folder, rows), DuckDB(memory="500MB"), dict[str, float]()
    for stage in STAGES:
        began, computed = time.perf_counter(), time.process_time()
        config = Config(source=source, stage=stage, backend=backend if stage != "parse" else DuckDB())
        run, state = execute("recommend.pipeline", config, folder / "runs")
        if state != "done":
            raise RuntimeError(run.error())
        found[f"{stage}_s"] = round(time.perf_counter() - began, 2)
        found[f"{stage}_computing_s"] = round(time.process_time() - computed, 2)
    return found | {"kept": run.result()["rows/interactions"]}


def killed(rows: int, limit: int) -> dict[str, object]:
    """Whether the tables are the same when every stage was killed once and resumed, under the same limit."""
    with tempfile.TemporaryDirectory() as name:
        home, found = Path(name), list[str]()
        written(home / "data", rows)
        for stage in STAGES:
            begun = staged(home, "killed", stage, limit)
            while begun.poll() is None and not any((home / "killed").rglob("*.writing")):
                time.sleep(0.001)
            begun.send_signal(signal.SIGKILL)
            if begun.wait() == -signal.SIGKILL:
                found.append(stage)
            for runs in ("killed", "whole"):
                if staged(home, runs, stage, limit).wait():
                    raise RuntimeError(f"{stage} in {runs} ended with an error")
        same = {
            table: contents(home / "killed", table) == contents(home / "whole", table) for table in TABLES
        }
    return {"rows": rows, "killed_in": found, "same_tables": same}


def staged(home: Path, runs: str, stage: str, limit: int) -> "subprocess.Popen[bytes]":
    """One stage in a process of its own."""
    words = ["--stage", stage, "--runs", runs, "--home", str(home), "--limit", str(limit)]
    return subprocess.Popen([sys.executable, "-m", "benchmarks.pipeline", *words])


def stage_of(home: Path, runs: str, stage: str, limit: int) -> None:
    """What that process does, its address space limited."""
    resource.setrlimit(resource.RLIMIT_AS, (limit * 10**6, limit * 10**6))
    source = Tables(
        interactions=str(home / "data" / "pairs.parquet"), items=str(home / "data" / "items.parquet")
    )
    backend = DuckDB(memory="500MB") if stage != "parse" else DuckDB()
    config = Config(source=source, stage=stage, backend=backend)
    run, state = execute("recommend.pipeline", config, home / runs)
    if state != "done":
        raise RuntimeError(run.error())


def contents(runs: Path, table: str) -> tuple[int, int]:
    """Rows of a table of the split and a sum over them, without users: each run has new pseudonyms."""
    (path,) = (p for p in runs.rglob(f"tables/{table}.parquet") if (p.parents[1] / "manifest.json").exists())
    frame = pl.read_parquet(path).drop("user", strict=False)
    return len(frame), int(frame.hash_rows().sort().hash(1).sum()) if len(frame) else 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--limit", type=int, default=6000)
    parser.add_argument(
        "--one", action="store_true", help="measure in this process (what the command starts)"
    )
    parser.add_argument("--stage", choices=STAGES, help="one stage in this process (what `killed` starts)")
    parser.add_argument("--runs", default="")
    parser.add_argument("--home", type=Path)
    given = parser.parse_args()
    if given.stage:
        stage_of(given.home, given.runs, given.stage, given.limit)
        return
    if given.one:
        print(json.dumps(measured(given.rows[0], given.limit)))
        return
    every = []
    for rows in given.rows:
        command = [
            sys.executable,
            "-m",
            "benchmarks.pipeline",
            "--one",
            "--rows",
            str(rows),
            "--limit",
            str(given.limit),
        ]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(done.stderr[-2000:])
        every.append(json.loads(done.stdout.splitlines()[-1]))
        print(every[-1], file=sys.stderr)
    print(
        json.dumps(
            stamped(
                {"limit_mb": given.limit, "sizes": every, "killed": killed(max(given.rows), given.limit)}
            ),
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
