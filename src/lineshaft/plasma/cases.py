"""Cases: what `plasma.simulate` can be told to simulate, and what of it theory knows.

A case is a `Part` with a length of cell `dx`, a duration `time` and a method `contents`. One of your own
goes into a plain file (see `examples/plasma_foil.py`): as a `Case` of a configuration there, or as a
function `box` named by `case=./target.py`.
"""

import hashlib
import importlib.util
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from lineshaft.engine import Part, RequestError
from lineshaft.plasma import profiles, theory
from lineshaft.plasma.box import Box, Population
from lineshaft.plasma.pic.laser import Pulse
from lineshaft.plasma.pic.simulation import Simulation
from lineshaft.plasma.refusal import check_resolution

Watch = Callable[[Simulation], float]


class Case(Part):
    """Base of all cases."""

    model_config = ConfigDict(allow_inf_nan=False)

    def contents(self) -> Box:
        """What is in the box at the start."""
        raise NotImplementedError

    def watched(self) -> dict[str, Watch]:
        """Numbers to keep of every step, by name; `compared` gets them."""
        return {}

    def compared(self, time: np.ndarray, series: dict[str, np.ndarray]) -> dict[str, float]:
        """Metrics against theory, from the watched series."""
        return {}


class Slab(Case):
    """An intense laser on a thick overdense slab of hydrogen: hole boring, hot electrons, a few fast ions."""

    name: Literal["slab"] = "slab"
    a0: float = Field(10.0, ge=0, description="peak amplitude of the laser's vector potential (m_e c / e)")
    density: float = Field(20.0, gt=0, description="density of electrons and of ions (n_c)")
    start: float = Field(90.0, ge=0, description="front of the slab (c/omega0)")
    thickness: float = Field(200.0, gt=0, description="thickness of the slab (c/omega0)")
    box: float = Field(400.0, gt=0, description="length of the box, open at both ends (c/omega0)")
    ramp: float = Field(20.0, gt=0, description="rise and fall of the pulse, sin^2 in A (1/omega0)")
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
                f"the slab ends at {self.start + self.thickness:g} beyond the box of {self.box:g} "
                "c/omega0: enlarge case.box or reduce case.start or case.thickness"
            )
        if 2 * self.ramp > self.duration:
            raise ValueError(
                f"a pulse of {self.duration:g} with two ramps of {self.ramp:g} never reaches its peak a0: "
                "reduce case.ramp or raise case.duration"
            )
        warm_enough(self, self.electron_temperature)
        return stable(long_enough(self, "thickness", 2))

    def contents(self) -> Box:
        """Ions start where the electrons are, so that the slab is neutral to the last particle."""
        density = profiles.slab(self.start, self.start + self.thickness, self.density)
        plasma = (
            Population("electrons", -1.0, 1.0, density, self.electron_temperature),
            Population("ions", 1.0, self.mass, density, self.ion_temperature),
        )
        return Box(self.box, self.dx, plasma, (Pulse(self.a0, self.ramp, self.duration),))


class Langmuir(Case):
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
        period = 2 * np.pi / theory.plasma_frequency(self.density)
        if self.time < 2 * period:
            raise ValueError(
                f"a time of {self.time:g} holds fewer than two plasma periods of {period:.3g}: "
                f"raise case.time"
            )
        return stable(long_enough(self, "box", 8))

    def contents(self) -> Box:
        sine = wave(self.kick, self.box)
        electrons = Population("electrons", -1.0, 1.0, profiles.uniform(self.density), kick=sine, even=True)
        return Box(self.box, self.dx, (electrons,), walls=None, background="mirror")

    def watched(self) -> dict[str, Watch]:
        return {"mode": lambda simulation: float(theory.mode(simulation.fields.along[None])[0])}

    def compared(self, time: np.ndarray, series: dict[str, np.ndarray]) -> dict[str, float]:
        """The frequency, against omega_p."""
        measured, expected = theory.frequency(time, series["mode"]), theory.plasma_frequency(self.density)
        return against("frequency", measured, expected)


class TwoStream(Case):
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
    def box(self) -> float:
        return 2 * np.pi / self.wavenumber

    @property
    def dx(self) -> float:
        return self.box / self.cells

    @model_validator(mode="after")
    def fits(self) -> "TwoStream":
        if self.kick > self.speed / 30:
            raise ValueError(
                f"a kick of {self.kick:g} leaves no room to grow below the beams' speed {self.speed:g}: "
                f"case.kick must be at most {self.speed / 30:.2g}"
            )
        rate = theory.two_stream_growth(self.density, self.speed, self.wavenumber)
        needed = (np.log(self.speed / self.kick) + 2) / rate
        if self.time < needed:
            raise ValueError(
                f"the instability saturates at about {needed:.3g}/omega0: raise case.time from {self.time:g} "
                "to that, or case.kick"
            )
        return stable(self)

    def contents(self) -> Box:
        drift, half = self.speed / np.sqrt(1 - self.speed**2), profiles.uniform(self.density / 2)
        beams = tuple(
            Population(
                name,
                -1.0,
                1.0,
                half,
                drift=(sign * drift, 0, 0),
                kick=wave(sign * self.kick, self.box),
                even=True,
            )
            for name, sign in (("right", 1.0), ("left", -1.0))
        )
        return Box(self.box, self.dx, beams, walls=None, background="mirror")

    def watched(self) -> dict[str, Watch]:
        return {"energy": lambda simulation: float(np.square(simulation.fields.along).sum())}

    def compared(self, time: np.ndarray, series: dict[str, np.ndarray]) -> dict[str, float]:
        """The growth rate, against the cold relativistic dispersion relation."""
        expected = theory.two_stream_growth(self.density, self.speed, self.wavenumber)
        return against("growth", theory.growth(time, series["energy"]), expected)


class Own(Case):
    """A case of your own: a plain Python file with a function `box() -> Box`.

    Optionally with `watched()`, functions of the simulation by name whose values are kept of every step, and
    `compared(time, series)`, metrics made from those.
    """

    name: Literal["own"] = "own"
    file: str = Field("", description="the file, for instance ./target.py")
    time: float = Field(100.0, gt=0, description="simulated time (1/omega0)")
    settings: dict[str, float | int | str | bool] = Field({}, description="arguments of its function `box`")
    content: str = Field("", description="hash of the file, part of the run's identity; found by itself")

    @model_validator(mode="before")
    @classmethod
    def identified(cls, values: Any) -> Any:
        if not isinstance(values, dict) or "file" not in values:
            return values
        path = Path(str(values["file"]))
        if not values["file"]:
            return values
        if not path.is_file():
            raise ValueError(f"there is no file {path}: case.file names a Python file with a function box()")
        found = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
        if values.get("content") not in ("", None, found):
            raise ValueError(f"{path} has changed since this run was configured: run it as a new one")
        return {**values, "content": found}

    @property
    def dx(self) -> float:
        """Of the file's box; until a file is named the slab's, so that a configuration can be made."""
        return self.contents().dx if self.file else Slab().dx

    def contents(self) -> Box:
        if not self.file:
            raise RequestError("case=own names no file: write case=./target.py, a file with a function box()")
        found = self.called("box", **self.settings)
        if found is None:
            raise ValueError(f"{self.file} has no function box()")
        if not isinstance(found, Box):
            raise ValueError(f"box() of {self.file} returned {type(found).__name__}, not a Box")
        check_resolution(found)
        return found

    def watched(self) -> dict[str, Watch]:
        return self.called("watched") or {}

    def compared(self, time: np.ndarray, series: dict[str, np.ndarray]) -> dict[str, float]:
        return self.called("compared", time, series) or {}

    def called(self, name: str, *given: Any, **settings: Any) -> Any:
        """What a function of the file returns, None where it has none; faults name the line."""
        try:
            function = getattr(loaded(self.file, self.content), name, None)
            return function(*given, **settings) if callable(function) else None
        except RequestError:
            raise
        except Exception as error:
            fault = f"{type(error).__name__}: {error}"
            raise ValueError(f"{self.file}{line_of(error, self.file)}: {fault}") from error


def line_of(error: Exception, file: str) -> str:
    """The line of the file at which an error was raised, as `, line 7`."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if Path(frame.filename).resolve() == Path(file).resolve()]
    return f", line {lines[-1]}" if lines else ""


def loaded(file: str, content: str) -> Any:
    """The file as a module."""
    spec = importlib.util.spec_from_file_location(f"lineshaft_case_{content}", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def from_file(value: Any) -> Any:
    """`case=./target.py` is the case `own` of that file."""
    if isinstance(value, str) and value.endswith(".py"):
        return {"name": "own", "file": value}
    return value


AnyCase = Annotated[
    Slab | Langmuir | TwoStream | Own, Field(discriminator="name"), BeforeValidator(from_file)
]


def wave(amplitude: float, length: float) -> Callable[[np.ndarray], np.ndarray]:
    """One sine a box."""
    return lambda x: amplitude * np.sin(2 * np.pi * x / length)


def against(quantity: str, measured: float, expected: float) -> dict[str, float]:
    """A measured value, what theory says, and the relative error."""
    return {
        quantity: measured,
        f"{quantity}/theory": expected,
        f"{quantity}/error": abs(measured / expected - 1),
    }


def long_enough(case: Any, name: str, cells: int) -> Any:
    """Refuse a length that holds fewer cells than that."""
    length = getattr(case, name)
    if length < cells * case.dx:
        raise ValueError(
            f"{name} = {length:g} c/omega0 holds fewer than {cells} cells of {case.dx:g}: "
            f"raise case.{name} or reduce case.dx"
        )
    return case


def stable(case: Any) -> Any:
    """Refuse a step that does not resolve the plasma oscillation."""
    step = case.dx * np.sqrt(case.density)
    if step > 1:
        raise ValueError(
            f"dx = {case.dx:g} c/omega0 is {step:.2f} skin depths of density {case.density:g} n_c; the step "
            "must stay under 1 (under 2 it still runs, but shows numerical frequencies): reduce dx"
        )
    return case


def warm_enough(case: Any, temperature: float) -> None:
    """Refuse a Debye length so far below a cell that the grid heats the plasma by a fifth in 100/omega_p."""
    debye = np.sqrt(temperature / case.density)
    if 0 < debye < case.dx / 8:
        raise ValueError(
            f"a cell of {case.dx:g} c/omega0 is {case.dx / debye:.3g} Debye lengths of "
            f"{debye:.2g} at density "
            f"{case.density:g} n_c: the grid heats the electrons (20 % in 100/omega_p at 10). "
            f"Reduce case.dx to "
            f"at most {8 * debye:.2g}, or raise the temperature"
        )
