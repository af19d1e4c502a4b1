"""The pictures of docs/plasma.md: errors of the kept trainings against the horizon, and one rollout.

lineshaft run plasma.rollout --threads 1
python -m tools.plasma_pictures docs/results runs/plasma.rollout/seed=0 docs
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from lineshaft.engine import Folder
from lineshaft.engine.table.row import Row
from lineshaft.engine.table.table import Table
from lineshaft.plasma.lhpc import figures
from lineshaft.plasma.lhpc.pictures import rollout
from lineshaft.plasma.lhpc.trajectory import HORIZONS
from lineshaft.plasma.pictures import axes

WINDOW = {"target.window": 32.0}
REDRAWN = figures.Course("particles", {"method.fields": None})
CURVES = {
    "LHPC": (figures.LHPC, "#d1495b", "-"),
    "LHPC trained without coupling": (figures.UNCOUPLED, "#d1495b", ":"),
    "classical core, no net": (figures.CORE, "#8a9aa8", "-"),
    "all-fluid, Maxwell solved": (figures.FLUID, "#e0a458", "-"),
    "all-fluid, learned fields": (figures.FLUID_LEARNED, "#e0a458", ":"),
    "bi-Gaussian, Maxwell solved": (figures.BI, "#7a5c99", "-"),
    "bi-Gaussian, learned fields": (figures.BI_LEARNED, "#7a5c99", ":"),
    "all particles, redrawn (a bound)": (REDRAWN, "#1f3b57", "-"),
    "LHPC with a kinetic front": (
        figures.Course("lhpc", {"method.coupling": True, **WINDOW}),
        "#2a9d8f",
        "-",
    ),
    "core with a kinetic front": (figures.Course("lhpc", {"method.net": "none", **WINDOW}), "#2a9d8f", ":"),
}


def main(results: Path, run: Path, out: Path) -> None:
    runs = Table.read(results, "plasma.train")
    plot, panels = axes(1, 2, width=11.0, height=4.6)
    for quantity, panel in zip(("field", "moments"), panels):
        for label, (course, color, style) in CURVES.items():
            row = course.among(runs)
            if row is not None:
                draw(panel, row, quantity, label, color, style)
        panel.set(
            xscale="log", yscale="log", xlabel="steps from the restart", title=f"{quantity}, a0 = 10 held out"
        )
        panel.set_ylim(8e-4 if quantity == "field" else 1e-2, 3)
    panels[0].set_ylabel("relative error")
    panels[1].legend(frameon=False, fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5))
    plot.savefig(out / "plasma-horizon.png", dpi=110)
    names = {"Density and field": "plasma-density.png", "Phase space": "plasma-phase.png"}
    for figure in rollout(Folder(run)):
        if figure.title in names:
            figure.plot.savefig(out / names[figure.title], dpi=100)


def draw(panel: Axes, row: Row, quantity: str, label: str, color: str, style: str) -> None:
    """Means over members and restarts."""
    found = [figures.errors(row, quantity, horizon, figures.HEADLINE) for horizon in HORIZONS]
    if any(f is None for f in found):
        return
    every = [np.asarray(f).ravel() for f in found]
    panel.plot(HORIZONS, [f.mean() for f in every], style, marker="o", ms=3, color=color, label=label)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
