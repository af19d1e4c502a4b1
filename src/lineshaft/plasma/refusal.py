"""What a case must not be: each function raises ValueError with the value and the way out.

Populations and boxes are checked when they are made, so a bad case is refused before work starts. Whether the
grid resolves the plasma is asked of the cases that run, not of every box: tests of numerics need the others.
"""

import math
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from lineshaft.plasma.pic.laser import Pulse
from lineshaft.plasma.pic.walls import Wall

if TYPE_CHECKING:
    from lineshaft.plasma.box import Box, Population

FIELDS = ("ex", "ey", "ez", "by", "bz")
MOST_CELLS = 10**8
SAMPLES = 8  # steps that a period of light must hold
DEBYE = 8  # Debye lengths that a cell may hold


def check_population(one: "Population") -> None:
    """Its numbers are finite and in range, its profile and its kick are functions."""
    if not re.fullmatch(r"[A-Za-z0-9_.+-]+", one.name):
        raise ValueError(
            f"a name holds letters, digits and _ . + -, not {one.name!r}: it names metrics and arrays"
        )
    if not math.isfinite(one.charge):
        raise ValueError(f"{one.name}: a charge is finite, not {one.charge}")
    if not (one.mass > 0 and math.isfinite(one.mass)):
        raise ValueError(f"{one.name}: a mass is above 0 and finite, not {one.mass}")
    if not (one.temperature >= 0 and math.isfinite(one.temperature)):
        raise ValueError(f"{one.name}: a temperature is finite and not negative, not {one.temperature}")
    if len(one.drift) != 3 or not all(math.isfinite(u) for u in one.drift):
        raise ValueError(f"{one.name}: a drift is three finite momenta (u_x, u_y, u_z), not {one.drift}")
    if not callable(one.density) or not (one.kick is None or callable(one.kick)):
        raise ValueError(
            f"{one.name}: density and kick are functions of x, for instance profiles.slab(5, 9, 2.0)"
        )
    if one.classes < 1 or (one.ppc is not None and one.ppc < 1):
        raise ValueError(f"{one.name}: at least one class of weight and one particle in a cell are needed")


def check_box(box: "Box") -> None:
    """Its parts are of their kinds and fit together."""
    check_kinds(box)
    if not (box.length >= box.dx > 0 and math.isfinite(box.length)):
        raise ValueError(f"a box of {box.length} c/omega0 holds no cell of {box.dx}")
    if box.length / box.dx > MOST_CELLS:
        raise ValueError(
            f"a box of {box.length:g} c/omega0 has {box.length / box.dx:.3g} cells of {box.dx:g}, more than "
            f"{MOST_CELLS:.0e}: shorten it or raise dx"
        )
    check_fields("initial", box.initial, FIELDS[1:])
    check_fields("external", box.external, FIELDS)
    outside = [x for x in box.probes if not 0 <= x <= box.length]
    if outside:
        raise ValueError(f"a probe at {outside[0]} lies outside the box of {box.length} c/omega0")
    for pulse in box.pulses:
        check_pulse(pulse, box)
    for one in box.plasma:
        check_profile(one, box)
    check_names(box)


def check_kinds(box: "Box") -> None:
    """Lists are lists, walls are two, a background is one of three things."""
    for what, given, kind in (("plasma", box.plasma, "Population"), ("pulses", box.pulses, "Pulse")):
        wrong = given if not isinstance(given, Iterable) else [x for x in given if type(x).__name__ != kind]
        if wrong or not isinstance(given, Iterable):
            raise ValueError(f"{what} is a list of {kind}, for instance [{kind}(...)], not {short(given)}")
    walls: Any = box.walls
    if walls is not None and not (
        isinstance(walls, tuple | list) and len(walls) == 2 and all(isinstance(w, Wall) for w in walls)
    ):
        raise ValueError(
            f"walls are two, (Wall(...), Wall(...)), or None for a periodic box, not {short(walls)}"
        )
    background: Any = box.background
    if not (background is None or background == "mirror" or callable(background)):
        raise ValueError(
            f"a background is None, 'mirror' or a profile such as uniform(3.0), not {short(background)}"
        )
    if box.walls is None and any(pulse.a0 for pulse in box.pulses):
        raise ValueError("a periodic box has no end at which a pulse could enter: give it walls")


def short(value: object) -> str:
    return repr(value)[:60]


def check_fields(which: str, given: Mapping[str, Any], known: Iterable[str]) -> None:
    """They are fields that can be given, numbers or functions of x."""
    for name, value in given.items():
        if name not in known:
            raise ValueError(f"{which} fields are {', '.join(known)}, not {name!r}")
        if not callable(value) and not (isinstance(value, int | float) and math.isfinite(value)):
            raise ValueError(f"{which} field {name}: a finite number or a function of x, not {short(value)}")


def check_pulse(pulse: Pulse, box: "Box") -> None:
    """The grid can carry its light."""
    period = 2 * math.pi / pulse.frequency
    if pulse.a0 and period < SAMPLES * box.dx:
        raise ValueError(
            f"a period of light of frequency {pulse.frequency:g} is {period / box.dx:.2g} cells of "
            f"{box.dx:g}: reduce dx to at most {period / SAMPLES:.2g}"
        )


def check_profile(one: "Population", box: "Box") -> None:
    """Its density is finite and not negative everywhere, and somewhere above 0."""
    density = one.density((np.arange(box.cells) + 0.5) * box.dx)
    wrong = ~((density >= 0) & np.isfinite(density))
    if wrong.any():
        i = int(wrong.argmax())
        raise ValueError(
            f"{one.name}: the density at x = {(i + 0.5) * box.dx:g} is {density[i]:g}; it must be finite "
            "and >= 0"
        )
    if not density.any():
        raise ValueError(
            f"{one.name}: the profile is zero in every cell of the box of {box.length:g} c/omega0: move it "
            "inside"
        )


def check_names(box: "Box") -> None:
    """Populations of one name are one kind of particle."""
    known: dict[str, tuple[float, float]] = {}
    for one in box.plasma:
        kind = (one.charge, one.mass)
        if known.setdefault(one.name, kind) != kind:
            raise ValueError(
                f"two populations are called {one.name}, with charge and mass {known[one.name]} and {kind}: "
                "give them names of their own"
            )


def check_resolution(box: "Box") -> None:
    """The step resolves the plasma oscillation, the cells the Debye length well enough not to heat."""
    x = (np.arange(box.cells) + 0.5) * box.dx
    frequency = math.sqrt(max(sum(one.charge**2 / one.mass * one.density(x) for one in box.plasma) + 0 * x))
    if box.dx * frequency > 1:
        raise ValueError(
            f"dx = {box.dx:g} c/omega0 is {box.dx * frequency:.2f} skin depths where the plasma is densest "
            f"(omega_p = {frequency:.3g} omega0): reduce dx below {1 / frequency:.2g}"
        )
    for one in box.plasma:
        densest = float(one.density(x).max())
        debye = math.sqrt(one.temperature / densest) / max(abs(one.charge), 1e-300)
        if one.mass < 2 and one.charge and 0 < debye < box.dx / DEBYE:
            raise ValueError(
                f"{one.name}: a cell of {box.dx:g} c/omega0 is {box.dx / debye:.3g} Debye lengths of "
                f"{debye:.2g}: the grid heats them (20 % in 100/omega_p at 10). Reduce dx to at most "
                f"{DEBYE * debye:.2g}, or raise the temperature"
            )
