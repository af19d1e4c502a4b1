"""`python -m benchmarks.ladder RUNS`: what kept runs of `plasma.ablation` and `plasma.restart` say.

Bias of the mean tail with its interval, error of a single run, cost beside 120 particles a cell, energy,
Gauss's law; `--picture` draws error against cost.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from benchmarks.figures import save, stamped
from lineshaft.engine.table.table import Interval, Table
from lineshaft.plasma.hybrid.score import PLAIN, REFERENCE, SLAB, Ladder
from lineshaft.plasma.numbers import GLOBAL

CASES = {
    "slab": SLAB,
    "strong": SLAB | {"case.a0": 20.0},
    "thick": {"case.a0": 10.0, "case.thickness": 800.0, "case.time": 880.0},
}


def rung(ladder: Ladder, label: str) -> dict[str, Any]:
    """One rung's figures; a bias only where there is a reference."""
    rows = ladder.holding(label)
    found: dict[str, Any] = {
        "seeds": len(rows),
        "particles": mean(rows, f"{label}/particles"),
        "energy_drift": mean(rows, f"{label}/drift@100"),
        "gauss_worst": max(row.result[f"{label}/gauss@100"] for row in rows),
    }
    if ladder.holding(PLAIN) and label != REFERENCE:
        found["speed"] = bounds(ladder.speed(label))
    if ladder.holding(REFERENCE) and label != REFERENCE:
        found["tail_bias"] = bounds(ladder.bias(label))
        found["tail_bias_minus_plain120"] = (
            bounds(ladder.worse(label, PLAIN)) if ladder.holding(PLAIN) else None
        )
        found["tail_error_one_run"] = ladder.single(label)
        found["global_bias"] = bounds(ladder.bias(label, GLOBAL))
    return found


def mean(rows: list[Any], key: str) -> float:
    return float(np.mean([row.result[key] for row in rows]))


def bounds(found: Interval) -> list[float]:
    return [found.value, found.low, found.high]


def restarts(runs: Table) -> dict[str, dict[str, float]]:
    """Mean errors of the restarts over seeds, by form."""
    kept = [row for row in runs.of("plasma.restart").done if row.values["ppc"] == 120]
    found: dict[str, dict[str, float]] = {}
    for key in kept[0].result if kept else ():
        form, _, quantity = key.partition("/")
        found.setdefault(form, {})[quantity] = mean(kept, key)
    return found


def draw(ladder: Ladder, path: Path) -> None:
    """Error of the mean tail, and of one run, against the time of one run."""
    figure = Figure(figsize=(7, 4.5))
    axes = figure.subplots()
    shown = [label for label in ladder.labels() if label not in (REFERENCE, "fluid")]
    for label in shown:
        seconds, bias = mean(ladder.holding(label), f"{label}/seconds"), ladder.bias(label)
        colour = {"p": "C0", "c": "C1", "w": "C4", "a": "C2", "b": "C3"}[label[0]]
        low, high = max(bias.value - bias.low, 0), max(bias.high - bias.value, 0)
        axes.errorbar(seconds, bias.value, [[low], [high]], marker="o", color=colour, capsize=2)
        axes.annotate(label, (seconds, bias.value), xytext=(4, 4), textcoords="offset points", fontsize=7)
    axes.set(
        xscale="log", xlabel="CPU seconds of one run, one core, in turn", ylabel="bias of the mean ion tail"
    )
    axes.set_ylim(0, 1.0)
    axes.set_title(
        f"{len(ladder.holding(PLAIN))} seeds; bars: 95 % over seeds of rung and reference", fontsize=9
    )
    figure.tight_layout()
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--picture", type=Path)
    asked = parser.parse_args()
    table = Table.read(asked.runs)
    ladders = {name: Ladder.of(table.of("plasma.ablation").done, case) for name, case in CASES.items()}
    values = {
        **{name: {label: rung(one, label) for label in one.labels()} for name, one in ladders.items()},
        "restarts": restarts(table),
    }
    print(json.dumps(values, indent=1))
    if asked.out:
        save(asked.out, stamped(values))
    if asked.picture:
        draw(ladders["slab"], asked.picture)
