"""The cases `plasma.simulate` knows: their parameters and how each fills its box."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from lineshaft.engine import Part
from lineshaft.plasma import theory
from lineshaft.plasma.pic.laser import Pulse
from lineshaft.plasma.pic.lists import Particles
from lineshaft.plasma.pic.simulation import Simulation, Species


class Slab(Part):
    """An intense laser on a thick overdense slab of hydrogen: hole boring, hot electrons, a few fast ions."""

    name: Literal["slab"] = "slab"
    a0: float = Field(10.0, ge=0, description="peak amplitude of the laser, e E / (m_e c omega0)")
    density: float = Field(20.0, gt=0, description="density of electrons and of ions (n_c)")
    start: float = Field(90.0, ge=0, description="front of the slab (c/omega0)")
    thickness: float = Field(200.0, gt=0, description="thickness of the slab (c/omega0)")
    box: float = Field(400.0, gt=0, description="length of the box, open at both ends (c/omega0)")
    ramp: float = Field(20.0, gt=0, description="rise and fall of the pulse, sin^2 in the field (1/omega0)")
    duration: float = Field(120.0, gt=0, description="length of the pulse, ramps included (1/omega0)")
    mass: float = Field(1836.0, gt=0, description="mass of an ion of charge 1 (m_e)")
    electron_temperature: float = Field(0.01, ge=0, description="electrons' temperature (m_e c^2)")
    ion_temperature: float = Field(0.0002, ge=0, description="ions' temperature (m_e c^2)")
    dx: float = Field(0.05, gt=0, description="length of a cell, and the time step (c/omega0)")
    time: float = Field(200.0, gt=0, description="simulated time (1/omega0)")

    @model_validator(mode="after")
    def fits(self) -> "Slab":
        if self.start + self.thickness > self.box:
            raise ValueError(
                f"the slab ends at {self.start + self.thickness:g} beyond the box of {self.box:g} c/omega0: "
                "enlarge case.box or reduce case.start or case.thickness"
            )
        if 2 * self.ramp > self.duration:
            raise ValueError(
                f"a pulse of {self.duration:g} with two ramps of {self.ramp:g} never reaches its peak a0: "
                "reduce case.ramp or raise case.duration"
            )
        return stable(long_enough(self, "thickness", 2))

    def build(self, ppc: int, real: type, seed: int) -> Simulation:
        """Ions start where the electrons are, so that the slab is neutral to the last particle."""
        rng, cells = np.random.default_rng(seed), round(self.box / self.dx)
        middle = (np.arange(cells) + 0.5) * self.dx
        count = ppc * ((middle > self.start) & (middle < self.start + self.thickness)).astype(np.int64)
        n = int(count.sum())
        offset = np.minimum(rng.random(n), 1 - 2.0**-24).astype(real)
        species = []
        for name, charge, mass, temperature in (
            ("electrons", -1.0, 1.0, self.electron_temperature),
            ("ions", 1.0, self.mass, self.ion_temperature),
        ):
            momentum = (rng.normal(size=(3, n)) * np.sqrt(temperature / mass)).astype(real)
            species.append(
                Species.of(name, charge, mass, self.density / ppc, Particles(count, offset, momentum))
            )
        return Simulation(cells, self.dx, species, Pulse(self.a0, self.ramp, self.duration))

    def compared(self, time: np.ndarray, along: np.ndarray) -> dict[str, float]:
        """Nothing is known in closed form."""
        return {}


class Langmuir(Part):
    """Cold electrons oscillating about fixed ions in a periodic box: the plasma frequency.

    The grid heats electrons this cold: short waves grow and carry a percent of the energy after 13 periods.
    """

    name: Literal["langmuir"] = "langmuir"
    density: float = Field(1.0, gt=0, description="density of the electrons (n_c)")
    kick: float = Field(0.01, gt=0, lt=0.3, description="amplitude of the initial sine of momenta (m_e c)")
    box: float = Field(10.0, gt=0, description="length of the periodic box, one wavelength (c/omega0)")
    dx: float = Field(0.05, gt=0, description="length of a cell, and the time step (c/omega0)")
    time: float = Field(60.0, gt=0, description="simulated time (1/omega0)")

    @model_validator(mode="after")
    def fits(self) -> "Langmuir":
        return stable(long_enough(self, "box", 8))

    def build(self, ppc: int, real: type, seed: int) -> Simulation:
        cells = round(self.box / self.dx)
        electrons = beam("electrons", cells, ppc, self.density, 0.0, self.kick, real)
        return Simulation(cells, self.dx, [electrons], periodic=True)

    def compared(self, time: np.ndarray, along: np.ndarray) -> dict[str, float]:
        """The frequency, against omega_p."""
        measured, expected = theory.frequency(time, theory.mode(along)), theory.plasma_frequency(self.density)
        return against("frequency", measured, expected)


class TwoStream(Part):
    """Two cold electron beams through each other in a box of one wavelength of the fastest mode."""

    name: Literal["twostream"] = "twostream"
    density: float = Field(1.0, gt=0, description="density of both beams together (n_c)")
    speed: float = Field(0.1, gt=0, lt=0.9, description="speed of either beam (c)")
    kick: float = Field(1e-5, gt=0, description="amplitude of the initial sine of momenta (m_e c)")
    cells: int = Field(128, ge=8, description="cells in the box")
    time: float = Field(40.0, gt=0, description="simulated time (1/omega0)")

    @property
    def wavenumber(self) -> float:
        return theory.fastest_mode(self.density, self.speed)

    @property
    def dx(self) -> float:
        return 2 * np.pi / self.wavenumber / self.cells

    @model_validator(mode="after")
    def fits(self) -> "TwoStream":
        return stable(self)

    def build(self, ppc: int, real: type, seed: int) -> Simulation:
        drift = self.speed / np.sqrt(1 - self.speed**2)
        beams = [
            beam(name, self.cells, ppc, self.density / 2, sign * drift, sign * self.kick, real)
            for name, sign in (("right", 1.0), ("left", -1.0))
        ]
        return Simulation(self.cells, self.dx, beams, periodic=True)

    def compared(self, time: np.ndarray, along: np.ndarray) -> dict[str, float]:
        """The growth rate, against the cold relativistic dispersion relation."""
        expected = theory.two_stream_growth(self.density, self.speed, self.wavenumber)
        return against("growth", theory.growth(time, np.square(along).sum(1)), expected)


Case = Annotated[Slab | Langmuir | TwoStream, Field(discriminator="name")]


def beam(name: str, cells: int, ppc: int, density: float, drift: float, kick: float, real: type) -> Species:
    """Cold electrons, evenly spaced, with a drift and one sine of momenta along x."""
    count = np.full(cells, ppc, np.int64)
    offset = np.tile((np.arange(ppc) + 0.5) / ppc, cells)
    position = (np.repeat(np.arange(cells), ppc) + offset) / cells
    momentum = np.zeros((3, cells * ppc), real)
    momentum[0] = drift + kick * np.sin(2 * np.pi * position)
    return Species.of(name, -1.0, 1.0, density / ppc, Particles(count, offset.astype(real), momentum))


def against(quantity: str, measured: float, expected: float) -> dict[str, float]:
    """A measured value, what theory says, and the relative error."""
    return {
        quantity: measured,
        f"{quantity}/theory": expected,
        f"{quantity}/error": abs(measured / expected - 1),
    }


def long_enough(case: Part, name: str, cells: int) -> Part:
    """Refuse a length that holds fewer cells than that."""
    length = getattr(case, name)
    if length < cells * case.dx:
        raise ValueError(
            f"{name} = {length:g} c/omega0 holds fewer than {cells} cells of {case.dx:g}: "
            f"raise case.{name} or reduce case.dx"
        )
    return case


def stable(case: Part) -> Part:
    """Refuse a step that does not resolve the plasma oscillation."""
    step = case.dx * np.sqrt(case.density)
    if step > 1:
        raise ValueError(
            f"dx = {case.dx:g} c/omega0 is {step:.2f} skin depths of density {case.density:g} n_c; the step "
            "must stay under 1 (under 2 it still runs, but shows numerical frequencies): reduce dx"
        )
    return case
