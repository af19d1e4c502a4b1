"""Light that enters the box: a wave written on the grid's left or right end, from a vector potential.

E = -dA/dt of a pulse A = a0 envelope(t) cos(t) that begins and ends at rest, so that the field has no net
area: a free electron is left where A leaves it, at rest. (An envelope on E itself leaves A = -.53 a0 behind
for a ramp of 5 in a pulse of 20.)
"""

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Pulse:
    """A pulse with sin^2 ramps; times in 1 / omega0, amplitude of A in m_e c / e.

    `angle` turns the polarisation from y (0) to z (pi/2); `ellipticity` is 0 for linear, 1 and -1 for
    circular light, always with the same energy in a cycle. `frequency` is in omega0; `side` is where it
    comes from.
    """

    a0: float
    ramp: float
    duration: float
    side: str = "left"
    angle: float = 0.0
    ellipticity: float = 0.0
    frequency: float = 1.0
    delay: float = 0.0

    def __post_init__(self) -> None:
        for name in ("a0", "ramp", "duration", "angle", "ellipticity", "frequency", "delay"):
            if not math.isfinite(getattr(self, name)):
                raise ValueError(f"a pulse needs finite numbers, not {name} = {getattr(self, name)}")
        if self.side not in ("left", "right"):
            raise ValueError(f"a pulse comes from the left or the right, not from {self.side!r}")
        if self.ramp <= 0 or self.frequency <= 0 or abs(self.ellipticity) > 1 or self.delay < 0:
            raise ValueError("a pulse needs ramp > 0, frequency > 0, delay >= 0 and |ellipticity| <= 1")
        if self.a0 and self.duration < 2 * self.ramp:
            raise ValueError(
                f"a pulse of {self.duration:g} with two ramps of {self.ramp:g} never reaches its peak: "
                "reduce ramp or raise duration"
            )

    def entering(self, time: np.ndarray) -> np.ndarray:
        """The waves F and G at the pulse's end of the box, twice Ey and Ez, [2, times]."""
        local = time - self.delay
        envelope, slope = self.envelope(local), self.slope(local)
        phase = self.frequency * local
        first = self.frequency * envelope * np.sin(phase) - slope * np.cos(phase)
        second = -self.frequency * envelope * np.cos(phase) - slope * np.sin(phase)  # a quarter period behind
        scale = 2 * self.a0 / math.sqrt(1 + self.ellipticity**2)
        second = second * self.ellipticity
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        return scale * np.stack([first * cos - second * sin, first * sin + second * cos])

    def envelope(self, time: np.ndarray) -> np.ndarray:
        """Rises over `ramp`, falls over the last `ramp` of `duration`."""
        edge = np.minimum(time, self.duration - time) / self.ramp
        return np.sin(np.pi / 2 * np.clip(edge, 0, 1)) ** 2

    def slope(self, time: np.ndarray) -> np.ndarray:
        """Time derivative of the envelope."""
        edge = np.minimum(time, self.duration - time) / self.ramp
        sign = np.where(time <= self.duration - time, 1.0, -1.0)
        inside = (edge > 0) & (edge < 1)
        return np.where(inside, sign * np.pi / (2 * self.ramp) * np.sin(np.pi * edge), 0.0)


def waves(pulses: tuple[Pulse, ...], time: np.ndarray) -> np.ndarray:
    """What enters at the given times, [times, 4]: y and z from the left, then from the right."""
    entering = np.zeros((4, time.size))
    for pulse in pulses:
        first = 0 if pulse.side == "left" else 2
        entering[first : first + 2] += pulse.entering(time)
    return np.ascontiguousarray(entering.T)
