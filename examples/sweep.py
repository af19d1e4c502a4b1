"""A sweep and its table from Python: `python examples/sweep.py`."""

from pathlib import Path

import polars

import lineshaft

if __name__ == "__main__":
    spiral = str(Path(__file__).with_name("spiral.py"))
    table = lineshaft.sweep(spiral, "lr=0.01,0.1", "width=8", "seed=0..1", workers=2)
    print(table.group_by("lr").agg(polars.mean("val/accuracy")).sort("lr"))
