"""The laser: a value written on the right-moving wave at the left end, F+ = 2 Ey."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Pulse:
    """A linearly polarised pulse with sin^2 ramps; times in 1 / omega0, amplitude in m_e c omega0 / e."""

    a0: float
    ramp: float
    duration: float

    def entering(self, time: np.ndarray) -> np.ndarray:
        """F+ at the left end: twice the electric field, for E = a0 sin(t) under the envelope."""
        return 2 * self.a0 * self.envelope(time) * np.sin(time)

    def envelope(self, time: np.ndarray) -> np.ndarray:
        """Rises over `ramp`, falls over the last `ramp` of `duration`."""
        edge = np.minimum(time, self.duration - time) / self.ramp
        return np.sin(np.pi / 2 * np.clip(edge, 0, 1)) ** 2


DARK = Pulse(a0=0.0, ramp=1.0, duration=0.0)
