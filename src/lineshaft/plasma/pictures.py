"""Pictures of a finished `plasma.simulate`, drawn from the arrays it saved."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure as Plot

from lineshaft.engine import Figure, Folder

INK, ACCENT, QUIET = "#1f3b57", "#d1495b", "#8a9aa8"
POSITION, TIME = r"$x$  ($c/\omega_0$)", r"$t$  ($1/\omega_0$)"
MOMENTUM = r"$u_x = \gamma v_x$  ($c$)"
BEFORE, BEHIND = 15, 45  # what the waterfalls show around the front of the target (c/omega0)


def draw(folder: Folder) -> Iterator[Figure]:
    """Everything worth seeing of a run, by case."""
    case = folder.config()["case"]
    species = [name.removeprefix("density_") for name in folder.arrays() if name.startswith("density_")]
    if any(name.startswith("spectrum_") for name in folder.arrays()):
        yield Figure("Waterfalls", waterfalls(folder, species), WATERFALLS)
        yield Figure("Phase space", phase_spaces(folder, species), PHASE)
        yield Figure("Energy budget", budget(folder, species), BUDGET)
        yield Figure("Spectra", spectra(folder, species), SPECTRA)
    else:
        if case["name"] in ("langmuir", "twostream"):
            yield Figure("Against theory", validation(folder, case), f"Measured: {findings(folder)}.")
        yield Figure("Phase space", orbits(folder, species), ORBITS)


WATERFALLS = (
    "Densities around the front of the target (red: compressed, blue: diluted, white: empty) and the laser's "
    "field up to there, over space (across) and time (up). The light comes from the left, pushes the front "
    "and is reflected."
)
PHASE = "Momentum along x against position at the end; the colour counts particles on a logarithmic scale."
ORBITS = (
    "Momentum along x against position at the end: cold beams are lines, and wind up where they are trapped."
)
SPECTRA = (
    "Particles by kinetic energy at the end. Filled: the non-thermal ones, more than 4.5 sigma from the "
    "Gaussian of their neighbourhood."
)
BUDGET = "Where the energy is. The dashed line, all of it less what entered, should stay flat."


def axes(rows: int, columns: int, width: float = 6.0, height: float = 4.2) -> tuple[Plot, list[Axes]]:
    """A figure and its axes, in reading order."""
    plot = Plot(figsize=(width, height), layout="constrained")
    return plot, list(np.ravel(plot.subplots(rows, columns)))


def extent(folder: Folder) -> tuple[float, float, float, float]:
    """Box and duration, for pictures over space and time."""
    edges = [name for name in folder.arrays() if name.startswith("phase_") and name.endswith("_x")]
    return (0.0, float(folder.array(edges[0])[-1]), 0.0, float(folder.array("time")[-1]))


def waterfalls(folder: Folder, species: list[str]) -> Plot:
    """Densities against the one at the start: red is compressed, blue diluted; then the transverse field."""
    plot, panels = axes(1, len(species) + 1, width=4.0 * (len(species) + 1))
    shared: dict[str, Any] = {"origin": "lower", "aspect": "auto", "extent": extent(folder)}
    for name, panel in zip(species, panels):
        density = folder.array(f"density_{name}")
        density = density / max(float(density[0].max()), 1e-30)
        seen = np.where(density > 0, density, np.nan)
        image = panel.imshow(seen, cmap="RdYlBu_r", norm=LogNorm(0.1, 10), interpolation="nearest", **shared)
        plot.colorbar(image, ax=panel, label="density, of that at the start", extend="both")
        panel.set_title(name)
    field = folder.array("field_y")
    bound = float(np.abs(field).max()) or 1.0
    image = panels[-1].imshow(field, cmap="RdBu_r", vmin=-bound, vmax=bound, **shared)
    plot.colorbar(image, ax=panels[-1], label=r"$E_y$  ($m_e c\,\omega_0/e$)")
    panels[-1].set_title("light")
    front, length = front_of(folder, species), extent(folder)[1]
    for panel in panels:
        panel.set(xlabel=POSITION, ylabel=TIME, xlim=(max(0, front - BEFORE), min(length, front + BEHIND)))
    panels[-1].set_xlim(0, front + BEFORE)
    return plot


def front_of(folder: Folder, species: list[str]) -> float:
    """Where the first plasma stood, seen from the left."""
    filled = np.zeros(1, bool)
    for name in species:
        filled = filled | (folder.array(f"density_{name}")[0] > 0)
    return float(filled.argmax() / filled.size * extent(folder)[1])


def phase_spaces(folder: Folder, species: list[str]) -> Plot:
    """One panel a species, over the part of the box that particles are in."""
    plot, panels = axes(len(species), 1, height=5.6)
    for name, panel in zip(species, panels):
        counts, x, u = phase_space(folder, name)
        seen = np.where(counts > 0, counts, np.nan)
        image = panel.pcolormesh(x, u, seen, cmap="viridis_r", norm=LogNorm(), rasterized=True)
        plot.colorbar(image, ax=panel, label="particles")
        filled = np.flatnonzero(counts.any(0))
        panel.set(xlabel=POSITION, ylabel=MOMENTUM, title=name)
        if filled.size:
            panel.set_xlim(x[max(0, filled[0] - 10)], x[min(x.size - 1, filled[-1] + 11)])
    return plot


def orbits(folder: Folder, species: list[str]) -> Plot:
    """All species in one panel, a dot for every place that holds a particle."""
    plot, (panel,) = axes(1, 1)
    for name, color in zip(species, (INK, ACCENT)):
        counts, x, u = phase_space(folder, name)
        row, column = np.nonzero(counts)
        middle = [(edges[1:] + edges[:-1]) / 2 for edges in (x, u)]
        panel.plot(middle[0][column], middle[1][row], ".", ms=1.5, color=color, label=name)
    panel.set(xlabel=POSITION, ylabel=MOMENTUM, xlim=extent(folder)[:2])
    if len(species) > 1:
        above(panel, title="at the start moving", markerscale=6)
    return plot


def phase_space(folder: Folder, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Counts [u, x] of a species and the edges of x and u."""
    counts = folder.array(f"phase_{name}").astype(float)
    return counts, folder.array(f"phase_{name}_x"), folder.array(f"phase_{name}_u")


def above(panel: Axes, **more: Any) -> None:
    """A legend over the panel, where it hides no data."""
    panel.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, frameon=False, fontsize=9, **more)


def spectra(folder: Folder, species: list[str]) -> Plot:
    """dN/dE of each species, the non-thermal part filled."""
    plot, panels = axes(1, len(species), width=11.0, height=3.8)
    result = folder.result()
    for name, panel in zip(species, panels):
        every, outlying = folder.array(f"spectrum_{name}")
        edges, one = folder.array(f"spectrum_{name}_energy"), name.removesuffix("s")
        panel.stairs(every, edges, color=INK, label="all")
        panel.stairs(outlying, edges, fill=True, color=ACCENT, alpha=0.6, label="non-thermal")
        fraction, share = (result[f"nonthermal/{one}_{what}"] for what in ("fraction", "energy_share"))
        panel.set(xscale="log", yscale="log", xlabel="kinetic energy  ($m_e c^2$)")
        panel.set_ylabel(r"$dN/dE$  ($n_c\,c/\omega_0$ per $m_e c^2$)")
        panel.set_title(
            f"{name}: {fraction:.2%} are non-thermal, with {share:.0%} of the energy", fontsize=10
        )
        panel.legend(frameon=False)
    return plot


def budget(folder: Folder, species: list[str]) -> Plot:
    """Energies over time."""
    plot, (panel,) = axes(1, 1, height=5.6)
    time, energy = folder.array("time"), folder.array("energy")
    panel.plot(time, energy[:, 1], label="entered with the laser", color="black", ls=":")
    parts = {"fields": energy[:, 0], "left as light": energy[:, 2], "escaped with particles": energy[:, 3]}
    for (label, values), color in zip(parts.items(), (QUIET, "#e0a458", "#7a5c99")):
        panel.plot(time, values, label=label, color=color)
    for name, values, color in zip(species_in_order(folder, species), energy[:, 4:].T, (INK, ACCENT)):
        panel.plot(time, values, label=name, color=color)
    held = energy[:, [0, 2, 3]].sum(1) + energy[:, 4:].sum(1) - energy[:, 1]
    panel.plot(time, held, "--", color="black", lw=0.8, label="all, less what entered")
    panel.set(xlabel=TIME, ylabel=r"energy per area  ($m_e c^2\,n_c\,c/\omega_0$)")
    panel.set_title(f"{abs(folder.result()['energy/drift']):.1g} of the energy unaccounted for", fontsize=10)
    panel.legend(frameon=False, fontsize=9)
    return plot


def species_in_order(folder: Folder, species: list[str]) -> list[str]:
    """Species as the columns of `energy` have them: as first logged."""
    logged = [key.removeprefix("energy/") for key in folder.metrics()[0] if key.startswith("energy/")]
    return [name for name in logged if name in species]


def validation(folder: Folder, case: dict[str, Any]) -> Plot:
    """The mode that theory speaks of, measured and predicted."""
    plot, (panel,) = axes(1, 1)
    result = folder.result()
    every = folder.array("series_time")
    if case["name"] == "langmuir":
        time, amplitude, omega = every, folder.array("series_mode"), result["frequency/theory"]
        fine = np.linspace(0, time[-1], 2000)
        fitted = amplitude @ np.sin(omega * time) / np.square(np.sin(omega * time)).sum()
        panel.plot(time, amplitude, ".", ms=2, color=INK, label="measured")
        panel.plot(
            fine, fitted * np.sin(omega * fine), lw=0.8, color=ACCENT, label=r"theory: $\sin\,\omega_p t$"
        )
        panel.set(ylabel=r"first mode of $E_x$  ($m_e c\,\omega_0/e$)")
    else:
        time, energy = every, folder.array("series_energy")
        rate, middle = result["growth/theory"], int(np.argmax(energy > 1e-4 * energy.max()))
        panel.semilogy(time, energy / energy.max(), ".", ms=2, color=INK, label="measured")
        line = energy[middle] / energy.max() * np.exp(2 * rate * (time - time[middle]))
        shown = line < 1
        told = rf"theory: growth {rate:.4f} $\omega_0$"
        panel.plot(time[shown], line[shown], color=ACCENT, lw=1, label=told)
        panel.set(ylabel=r"energy of $E_x$, of its peak", ylim=(1e-10, 3))
    panel.set(xlabel=TIME)
    above(panel)
    return plot


def findings(folder: Folder) -> str:
    """`frequency 1.00003 (theory 1)`."""
    result = folder.result()
    return ", ".join(
        f"{key.removesuffix('/theory')} {result[key.removesuffix('/theory')]:.5f} (theory {value:.5f})"
        for key, value in result.items()
        if key.endswith("/theory")
    )
