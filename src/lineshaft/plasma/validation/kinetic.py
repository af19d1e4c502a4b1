"""Checks of kinetic theory: waves and damping of a warm plasma, the filamentation of beams, hole boring."""

import numpy as np
from scipy.special import ndtri

from lineshaft.plasma import profiles, theory
from lineshaft.plasma.box import Box, Population
from lineshaft.plasma.cases import Slab
from lineshaft.plasma.gather import gathered
from lineshaft.plasma.pic.lists import Particles
from lineshaft.plasma.pic.simulation import Simulation
from lineshaft.plasma.pic.species import Species
from lineshaft.plasma.series import Series

Found = tuple[float, float]
THERMAL = 0.03  # c; relativistic corrections are of its square


def warm_wave(real: type, k_debye: float, time: float) -> tuple[np.ndarray, np.ndarray]:
    """Times and the first mode of Ex of a warm plasma (omega_p = 1) kicked gently, one wavelength a box.

    A quiet start: the same quantiles of a Gaussian in every cell, so that noise stays below the wave.
    """
    cells, ppc = round(4 * np.pi / k_debye), 2000
    length = 2 * np.pi * THERMAL / k_debye
    count, rank = np.full(cells, ppc, np.int64), np.arange(ppc)
    place = np.tile((rank + 0.5) / ppc, cells)
    golden = (rank * 0.6180339887498949) % 1
    u = np.zeros((3, place.size))
    u[0] = THERMAL * np.tile(ndtri((golden.argsort().argsort() + 0.5) / ppc), cells)
    phase = 2 * np.pi * (np.repeat(np.arange(cells), ppc) + place) / cells
    u[0] += 0.01 * THERMAL * np.sin(phase)
    electrons = Species.of(
        "electrons", -1.0, 1.0, 1 / ppc, Particles(count, place.astype(real), u.astype(real))
    )
    simulation = Simulation(cells, length / cells, [electrons], walls=None, background=np.ones(cells + 1))
    series = Series({"mode": lambda now: float(theory.mode(now.fields.along[None])[0])}, [], length / cells)
    simulation.run(round(time * cells / length), series)
    found, watched = series.named()
    return found, watched["mode"]


def bohm_gross(real: type) -> Found:
    """Frequency of a warm Langmuir wave at k lambda_D = .3, against the root of the kinetic dispersion."""
    time, mode = warm_wave(real, 0.3, 30.0)
    expected = theory.langmuir_root(0.3)
    return theory.frequency(time, mode * np.exp(-expected.imag * time)), float(expected.real)


def landau(real: type) -> Found:
    """Damping at k lambda_D = .5, from the heights of the wave's peaks."""
    time, mode = warm_wave(real, 0.5, 14.0)
    height = np.abs(mode)
    peaks = 1 + np.flatnonzero((height[1:-1] > height[:-2]) & (height[1:-1] >= height[2:]))
    peaks = peaks[time[peaks] > 1.0]
    slope = np.polyfit(time[peaks], np.log(height[peaks]), 1)[0]
    return -float(slope), -float(theory.langmuir_root(0.5).imag)


def weibel(real: type) -> Found:
    """Growth of the magnetic field between two cold beams across, at half the speed of light."""
    speed, k = 0.5, 1.0
    drift, half = speed / np.sqrt(1 - speed**2), profiles.uniform(0.5)
    beams = tuple(
        Population(name, -1.0, 1.0, half, drift=(0, sign * drift, 0), even=True)
        for name, sign in (("up", 1.0), ("down", -1.0))
    )
    light = {"bz": lambda x: 1e-6 * np.sin(k * x)}
    simulation = Box(2 * np.pi, 2 * np.pi / 192, beams, walls=None, background="mirror", initial=light).build(
        16, real, 0
    )
    series = Series({"energy": lambda now: float(np.square(now.fields.nodes[4]).sum())}, [], simulation.dx)
    simulation.run(round(50 / simulation.dx), series)
    time, watched = series.named()
    return theory.growth(time, watched["energy"]), theory.weibel_growth(1.0, speed, k)


def momentum(real: type) -> Found:
    """Change of a warm neutral plasma's momentum along x in 100/omega_p, over N p_th."""
    density = profiles.uniform(1.0)
    plasma = (
        Population("electrons", -1.0, 1.0, density, 0.01),
        Population("ions", 1.0, 1836.0, density, 0.01),
    )
    simulation = Box(10.0, 0.05, plasma, walls=None).build(100, real, 0)

    def total() -> float:
        return sum(
            one.mass * one.weight * float(one.particles().momentum[0].sum(dtype=float))
            for one in simulation.species
        )

    scale = sum(one.weight * one.number * np.sqrt(0.01 * one.mass) for one in simulation.species)
    before = total()
    simulation.run(2000)
    return abs(total() - before) / scale, 0.0


def hole_boring(real: type) -> Found:
    """Speed of a dense slab's front under light of a0 = 10, against the balance of momentum at its R."""
    slab = Slab(density=20.0, start=10.0, thickness=20.0, box=40.0, ramp=10.0, duration=90.0, time=90.0)
    simulation = slab.contents().build(40, real, 0)
    simulation.run(round(45 / slab.dx))
    first, early = front(simulation), simulation.fields.flux.copy()
    simulation.run(round(40 / slab.dx))
    entered, left = simulation.fields.flux - early
    return (front(simulation) - first) / 40, theory.hole_boring_speed(10.0, 20.0, 1836.0, left / entered)


def front(simulation: Simulation) -> float:
    """Where the ions, smoothed over half a c/omega0, first reach half of the slab's density."""
    ions = gathered(simulation, "ions")
    edges = np.arange(0, simulation.cells * simulation.dx, 0.5)
    counts, _ = np.histogram(ions.position, edges, weights=ions.weight / 0.5)
    i = int(np.argmax(counts > 10.0))
    below = counts[i - 1] if i else 0.0
    return float(edges[i] + 0.5 * ((10.0 - below) / max(counts[i] - below, 1e-9) - 0.5))
