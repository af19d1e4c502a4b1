"""What happens to particles at the two ends of the box."""

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Wall:
    """One end: `absorbing`, `reflecting`, or `thermal` at a temperature (m_e c^2). Light always leaves."""

    kind: str = "absorbing"
    temperature: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in CODES:
            raise ValueError(f"a wall is one of {', '.join(CODES)}, not {self.kind!r}")
        if not (self.temperature >= 0 and math.isfinite(self.temperature)):
            raise ValueError(f"a wall's temperature is finite and not negative, not {self.temperature}")
        if (self.kind == "thermal") != (self.temperature > 0):
            raise ValueError("a thermal wall needs a temperature above 0, any other wall none")


CODES = {"absorbing": 0, "reflecting": 1, "thermal": 2}
OPEN = (Wall(), Wall())


def coded(walls: tuple[Wall, Wall] | None, mass: float = 1.0) -> np.ndarray:
    """The walls as the kernels read them for particles of a mass, float64[2, 2]; None is a periodic box."""
    if walls is None:
        return np.array([[-1.0, 0.0], [-1.0, 0.0]])
    return np.array([[CODES[wall.kind], wall.temperature / mass] for wall in walls], float)
