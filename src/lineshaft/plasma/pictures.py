"""Pictures of a finished `plasma.simulate`, drawn from the arrays it saved."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure as Plot

from lineshaft.engine import Figure, Folder
from lineshaft.plasma import theory

INK, ACCENT, QUIET = "#1f3b57", "#d1495b", "#8a9aa8"
POSITION, TIME = "x  (c/ω₀)", "t  (1/ω₀)"


def draw(folder: Folder) -> Iterator[Figure]:
    """Everything worth seeing of a run, by case."""
    case = folder.config()["case"]
    species = [name.removeprefix("density_") for name in folder.arrays() if name.startswith("density_")]
    if case["name"] == "slab":
        yield Figure("Waterfalls", waterfalls(folder, species), WATERFALLS)
        yield Figure("Phase space", phase_spaces(folder, species), PHASE)
        yield Figure("Spectra", spectra(folder, species), SPECTRA)
        yield Figure("Energy budget", budget(folder, species), BUDGET)
    else:
        yield Figure("Against theory", validation(folder, case), f"Measured: {findings(folder)}.")
        yield Figure("Phase space", phase_spaces(folder, species), PHASE)


WATERFALLS = (
    "Density of each species and the transverse field over space (across) and time (up). The laser comes from "
    "the left, pushes the surface inwards and is reflected by it."
)
PHASE = "Momentum along x against position at the end; the colour counts particles on a logarithmic scale."
SPECTRA = (
    "Particles by kinetic energy at the end. Filled: the non-thermal ones, more than 4.5 sigma from the Gaussian "
    "of their neighbourhood. They are few, and carry much of the energy."
)
BUDGET = "Where the energy is. The dashed line, all of it less what entered, should stay flat."


def axes(rows: int, columns: int, width: float = 9.0, height: float = 3.2) -> tuple[Plot, list[Axes]]:
    """A figure and its axes, in reading order."""
    plot = Plot(figsize=(width, height * rows), layout="constrained")
    return plot, list(np.ravel(plot.subplots(rows, columns)))


def extent(folder: Folder) -> tuple[float, float, float, float]:
    """Box and duration, for pictures over space and time."""
    edges = [name for name in folder.arrays() if name.startswith("phase_") and name.endswith("_x")]
    return (0.0, float(folder.array(edges[0])[-1]), 0.0, float(folder.array("time")[-1]))


def waterfalls(folder: Folder, species: list[str]) -> Plot:
    """Densities on a logarithmic scale, the transverse field on a symmetric one."""
    plot, panels = axes(1, len(species) + 1, width=4.0 * (len(species) + 1), height=4.0)
    shared: dict[str, Any] = {"origin": "lower", "aspect": "auto", "extent": extent(folder)}
    for name, panel in zip(species, panels):
        density = folder.array(f"density_{name}")
        scale = LogNorm(float(density[density > 0].min()), float(density.max()))
        image = panel.imshow(np.where(density > 0, density, np.nan), cmap="viridis", norm=scale, **shared)
        plot.colorbar(image, ax=panel, label=f"{name}  (n_c)")
    field = folder.array("field_y")
    bound = float(np.abs(field).max()) or 1.0
    image = panels[-1].imshow(field, cmap="RdBu_r", vmin=-bound, vmax=bound, **shared)
    plot.colorbar(image, ax=panels[-1], label="E_y  (m_e c ω₀/e)")
    for panel in panels:
        panel.set(xlabel=POSITION, ylabel=TIME)
    return plot


def phase_spaces(folder: Folder, species: list[str]) -> Plot:
    """One panel a species."""
    plot, panels = axes(len(species), 1)
    for name, panel in zip(species, panels):
        counts = folder.array(f"phase_{name}").astype(float)
        x, u = (folder.array(f"phase_{name}_{axis}") for axis in "xu")
        image = panel.pcolormesh(x, u, np.where(counts > 0, counts, np.nan), cmap="magma", norm=LogNorm())
        plot.colorbar(image, ax=panel, label="particles")
        panel.set(xlabel=POSITION, ylabel="u_x  (c)", title=name)
    return plot


def spectra(folder: Folder, species: list[str]) -> Plot:
    """dN/dE of each species, the non-thermal part filled."""
    plot, panels = axes(1, len(species), height=3.8)
    result = folder.result()
    for name, panel in zip(species, panels):
        every, outlying = folder.array(f"spectrum_{name}")
        edges, one = folder.array(f"spectrum_{name}_energy"), name.removesuffix("s")
        panel.stairs(every, edges, color=INK, label="all")
        panel.stairs(outlying, edges, fill=True, color=ACCENT, alpha=0.6, label="non-thermal")
        fraction, share = (result[f"nonthermal/{one}_{what}"] for what in ("fraction", "energy_share"))
        panel.set(xscale="log", yscale="log", xlabel="kinetic energy  (m_e c²)", ylabel="dN/dE  (per area)")
        panel.set_title(f"{name}: {fraction:.2%} of them, {share:.0%} of the energy", fontsize=10)
        panel.legend(frameon=False)
    return plot


def budget(folder: Folder, species: list[str]) -> Plot:
    """Energies over time."""
    plot, (panel,) = axes(1, 1, height=4.0)
    time, energy = folder.array("time"), folder.array("energy")
    parts = {"fields": energy[:, 0], "left as light": energy[:, 2], "escaped with particles": energy[:, 3]}
    for (label, values), color in zip(parts.items(), (QUIET, "#e0a458", "#7a5c99")):
        panel.plot(time, values, label=label, color=color)
    for name, values, color in zip(species_in_order(folder, species), energy[:, 4:].T, (INK, ACCENT)):
        panel.plot(time, values, label=name, color=color)
    panel.plot(time, energy[:, 1], label="entered with the laser", color="black", lw=0.8)
    held = energy[:, [0, 2, 3]].sum(1) + energy[:, 4:].sum(1) - energy[:, 1]
    panel.plot(time, held, "--", color="black", lw=0.8, label="all, less what entered")
    panel.set(xlabel=TIME, ylabel="energy per area  (m_e c² n_c c/ω₀)")
    panel.legend(frameon=False, ncols=2, fontsize=8)
    return plot


def species_in_order(folder: Folder, species: list[str]) -> list[str]:
    """Species as the columns of `energy` have them: as first logged."""
    logged = [key.removeprefix("energy/") for key in folder.metrics()[0] if key.startswith("energy/")]
    return [name for name in logged if name in species]


def validation(folder: Folder, case: dict[str, Any]) -> Plot:
    """The mode that theory speaks of, measured and predicted."""
    plot, (panel,) = axes(1, 1, height=4.0)
    time, along, result = folder.array("time"), folder.array("field_x").astype(float), folder.result()
    if case["name"] == "langmuir":
        amplitude = theory.mode(along)
        panel.plot(time, amplitude, "o", ms=3, color=INK, label="first mode of E_x")
        omega, fine = result["frequency/theory"], np.linspace(0, time[-1], 2000)
        expected = -np.sin(omega * fine) * np.abs(amplitude).max()
        panel.plot(
            fine, np.sign(first(amplitude)) * np.abs(expected) * np.sign(-expected), lw=0.8, color=ACCENT
        )
        panel.set(ylabel="amplitude  (m_e c ω₀/e)")
    else:
        energy = np.square(along).sum(1)
        rate, middle = result["growth/theory"], int(np.argmax(energy > 1e-4 * energy.max()))
        panel.semilogy(time, energy / energy.max(), "o", ms=3, color=INK, label="field energy")
        line = energy[middle] / energy.max() * np.exp(2 * rate * (time - time[middle]))
        shown = line < 1
        panel.plot(time[shown], line[shown], color=ACCENT, lw=1, label=f"theory: growth {rate:.4f}")
        panel.set(ylabel="energy of E_x, of its peak", ylim=(1e-10, 3))
    panel.set(xlabel=TIME)
    panel.legend(frameon=False)
    return plot


def first(values: np.ndarray) -> float:
    """The first value that is not zero."""
    return float(values[np.flatnonzero(values)[0]])


def findings(folder: Folder) -> str:
    """`frequency 1.00003 (theory 1)`."""
    result = folder.result()
    return ", ".join(
        f"{key.removesuffix('/theory')} {result[key.removesuffix('/theory')]:.5f} (theory {value:.5f})"
        for key, value in result.items()
        if key.endswith("/theory")
    )
