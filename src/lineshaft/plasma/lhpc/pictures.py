"""Pictures of `plasma.rollout` and `plasma.train`."""

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure as Plot
from numpy.typing import NDArray

from lineshaft.engine import Figure, Folder
from lineshaft.plasma.lhpc.trajectory import HORIZONS
from lineshaft.plasma.pictures import ACCENT, INK, MOMENTUM, POSITION, QUIET, axes

Line = NDArray[np.float32]
NAMES = {"hybrid": "learned hybrid", "core": "classical core, no net", "redrawn": "all particles, redrawn"}
COLORS = {"hybrid": ACCENT, "core": QUIET, "redrawn": INK}
LABELS = {"field": "fields", "moments": "moments", "tail_electrons": "energy of fast electrons"}
STEPS = "steps from the restart"
HORIZON = (
    "Relative error over the steps since the common restart. All particles redrawn from the moments that the "
    "hybrid starts from are the floor of what moments allow."
)
STATE = "At the end of the rollout: densities and the field along x, all particles (line) and hybrid (dots)."
PHASE = (
    "At the end of the rollout: all particles above, the hybrid below. Fluid is drawn as the Gaussians that "
    "its moments stand for."
)


def rollout(folder: Folder) -> Iterator[Figure]:
    """Errors, the state at the end, and its phase space."""
    yield Figure("Error against horizon", horizons(folder), HORIZON)
    yield Figure("Density and field", state(folder), STATE)
    yield Figure("Phase space", phase(folder), PHASE)


def horizons(folder: Folder) -> Plot:
    """One panel a quantity, one curve a solver."""
    plot, panels = axes(1, len(LABELS), width=12.0, height=3.6)
    steps = folder.array("step")
    for (quantity, label), panel in zip(LABELS.items(), panels):
        for name in NAMES:
            if f"{name}_{quantity}" in folder.arrays():
                panel.plot(steps, folder.array(f"{name}_{quantity}"), color=COLORS[name], label=NAMES[name])
        panel.set(yscale="log", xlabel=STEPS, title=label)
    panels[0].set_ylabel("relative error")
    panels[0].legend(frameon=False, fontsize=9)
    return plot


def state(folder: Folder) -> Plot:
    """Densities of both species and Ex."""
    plot, panels = axes(3, 1, width=8.0, height=6.4)
    target = folder.config()["target"]
    x = np.arange(folder.array("truth_density").shape[-1]) * target["dx"]
    for k, (name, panel) in enumerate(zip(("electrons", "ions"), panels)):
        curves(panel, x, *(folder.array(f"{who}_density")[k] for who in ("truth", "hybrid")))
        panel.set(ylabel=f"{name}  ($n_c$)")
    curves(panels[2], x[:-1], *(folder.array(f"{who}_fields")[0, :-1] for who in ("truth", "hybrid")))
    panels[2].set(xlabel=POSITION, ylabel=r"$E_x$  ($m_e c\,\omega_0/e$)")
    for panel in panels:
        panel.set_xlim(max(0, target["start"] - 5), target["start"] + target["thickness"] + 2)
    panels[0].legend(frameon=False, fontsize=9)
    return plot


def curves(panel: Axes, x: Line, truth: Line, hybrid: Line) -> None:
    panel.plot(x, truth, color=INK, lw=0.8, label="all particles")
    panel.plot(x, hybrid, ".", ms=1.5, color=ACCENT, label="learned hybrid")


def phase(folder: Folder) -> Plot:
    """Two rows: truth and hybrid; two columns: electrons and ions."""
    plot, panels = axes(2, 2, width=10.0, height=6.0)
    target = folder.config()["target"]
    for k, species in enumerate(("electrons", "ions")):
        top = max(float(folder.array(f"truth_phase_{species}").max()), 1e-6)
        for row, who in enumerate(("truth", "hybrid")):
            panel, edges = panels[2 * row + k], folder.array(f"{who}_phase_{species}_u")
            counts = folder.array(f"{who}_phase_{species}")
            x = np.linspace(0, target["box"], counts.shape[1] + 1)
            seen = np.where(counts > 1e-4 * top, counts, np.nan)
            norm = LogNorm(1e-4 * top, top)
            panel.pcolormesh(x, edges, seen, cmap="viridis_r", norm=norm, rasterized=True)
            panel.set(xlabel=POSITION, ylabel=MOMENTUM, title=f"{species}, {NAMES.get(who, 'all particles')}")
            panel.set_xlim(max(0, target["start"] - 8), target["start"] + target["thickness"] + 5)
            panel.set_ylim(*folder.array(f"truth_phase_{species}_u")[[0, -1]])
    return plot


def trained(folder: Folder) -> Iterator[Figure]:
    """Errors of a trained method against the horizon, a panel a held-out amplitude."""
    tests = folder.config()["target"]["test"]
    plot, panels = axes(1, len(tests), width=4.0 * len(tests), height=3.6)
    for k, (a0, panel) in enumerate(zip(tests, panels)):
        for quantity, color in zip(LABELS, (ACCENT, INK, QUIET)):
            if f"errors_{quantity}" not in folder.arrays():
                continue
            found = folder.array(f"errors_{quantity}")[k].reshape(-1, len(HORIZONS))
            low, middle, high = np.quantile(found, [0.1, 0.5, 0.9], axis=0)
            panel.plot(HORIZONS, middle, "o-", color=color, label=LABELS[quantity])
            panel.fill_between(HORIZONS, low, high, color=color, alpha=0.15, lw=0)
        panel.set(xscale="log", yscale="log", xlabel=STEPS, title=f"held-out a0 = {a0:g}")
    panels[0].set_ylabel("relative error")
    panels[0].legend(frameon=False, fontsize=9)
    yield Figure("Error against horizon", plot, "Median and 80 % of restarts and members.")
