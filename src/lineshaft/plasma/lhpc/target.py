"""The family of problems the learned solver is trained on: one slab, lasers of several amplitudes."""

import numpy as np
import torch
from pydantic import ConfigDict, Field, model_validator
from torch import Tensor

from lineshaft.engine import Part
from lineshaft.plasma.pic.laser import Pulse

MACRO = 8  # steps between two calls of the nets, and between two looks at the labels


class Target(Part):
    """A slab of hydrogen in a short box, light polarised along y from the left. Units as in
    `plasma.simulate`.
    """

    model_config = ConfigDict(allow_inf_nan=False)

    train: tuple[float, ...] = Field((2, 4, 6, 8, 12, 16, 18), description="amplitudes a0 to learn from")
    valid: tuple[float, ...] = Field((14,), description="amplitudes to choose on")
    test: tuple[float, ...] = Field((5, 10, 20), description="amplitudes held out, inside and outside")
    density: float = Field(20.0, gt=0, description="of electrons and ions (n_c)")
    start: float = Field(20.0, gt=0, description="front of the slab (c/omega0)")
    thickness: float = Field(60.0, gt=0, description="of the slab (c/omega0)")
    box: float = Field(100.0, gt=0, description="length of the box (c/omega0)")
    dx: float = Field(0.05, gt=0, description="length of a cell, and the step (c/omega0)")
    ppc: int = Field(120, ge=2, description="particles a cell, of each species")
    ramp: float = Field(20.0, gt=0, description="rise and fall of the pulse (1/omega0)")
    duration: float = Field(100.0, gt=0, description="length of the pulse (1/omega0)")
    mass: float = Field(1836.0, gt=0, description="of an ion (m_e)")
    electron_temperature: float = Field(0.01, gt=0, description="m_e c^2")
    ion_temperature: float = Field(0.0002, gt=0, description="m_e c^2")
    steps: int = Field(2120, ge=80, multiple_of=40, description="of each trajectory")
    window: float = Field(
        0.0, ge=0, description="left of this all plasma is particles (c/omega0); 0: nowhere"
    )

    @model_validator(mode="after")
    def fits(self) -> "Target":
        if self.start + self.thickness > self.box or self.thickness < 4 * self.dx:
            raise ValueError(
                "the slab must lie in the box and hold some cells: change start, thickness or box"
            )
        every = [*self.train, *self.valid, *self.test]
        if len(set(every)) < len(every):
            raise ValueError("train, valid and test need different amplitudes")
        return self

    @property
    def cells(self) -> int:
        return round(self.box / self.dx)

    @property
    def window_cells(self) -> int:
        return round(self.window / self.dx)

    @property
    def weight(self) -> float:
        """Density that a particle gives its cell."""
        return self.density / self.ppc

    @property
    def amplitudes(self) -> tuple[float, ...]:
        return (*self.train, *self.valid, *self.test)

    def restarts(self) -> list[int]:
        """Steps from which all methods start: twelve from a quarter to nine tenths, where particles are
        kept.
        """
        first, last = 0.26 * self.steps, self.steps - 200
        found = np.unique((np.linspace(first, max(first, last), 12) // 40 * 40).astype(int))
        return [int(k) for k in found if k + 200 <= self.steps and k >= 40] or [40]

    def entering(self) -> Tensor:
        """The wave F+ that enters at each step, [amplitudes, steps + 1]."""
        time = np.arange(self.steps + 1) * self.dx
        rows = [Pulse(a0, self.ramp, self.duration).entering(time)[0] for a0 in self.amplitudes]
        return torch.tensor(np.stack(rows), dtype=torch.float32)


class Constants:
    """Charges, masses and scales of the two species, [1, groups, 1], on a device.

    `unit` is a thermal speed, `fastest` bounds a mean momentum, `hottest` and `coldest` a variance of u.
    """

    def __init__(self, target: Target, groups: int, device: str) -> None:
        def pair(e: float, i: float) -> Tensor:
            values = [e, i] if groups == 2 else [e, e, i, i]
            return torch.tensor(values, dtype=torch.float32, device=device)[None, :, None]

        mass, ions = target.mass, target.ion_temperature / target.mass
        self.charge, self.mass = pair(-1.0, 1.0), pair(1.0, mass)
        self.unit = pair(target.electron_temperature**0.5, 6 * ions**0.5)
        self.coldest = pair(0.01 * target.electron_temperature, 0.01 * ions)
        self.fastest, self.hottest = pair(60.0, 1100 / mass), pair(50.0, 92 / mass)
        self.speed_bound = pair(3.0, 37 / mass)
        self.density, self.vacuum, self.dx = target.density, 0.0025 * target.density, target.dx
