"""Density profiles: small functions of x that add, multiply and cut, for a case of one's own.

    target = slab(20, 60, density=30) + exponential(edge=20, scale=2, density=30, length=10)

A profile maps positions (c/omega0, an array) to densities (n_c).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Profile:
    """A function of position; `+`, `*` and `between` make new ones."""

    at: Callable[[np.ndarray], np.ndarray]

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return np.broadcast_to(np.asarray(self.at(x), float), np.shape(x)).astype(float)

    def __add__(self, other: "Profile") -> "Profile":
        return Profile(lambda x: self(x) + other(x))

    def __mul__(self, other: "Profile | float") -> "Profile":
        return Profile(lambda x: self(x) * (other(x) if isinstance(other, Profile) else other))

    __rmul__ = __mul__

    def between(self, start: float, end: float) -> "Profile":
        """The same from `start` to `end`, nothing elsewhere."""
        return Profile(lambda x: np.where((x > start) & (x < end), self(x), 0.0))


def uniform(density: float) -> Profile:
    return Profile(lambda x: np.full(np.shape(x), density))


def slab(start: float, end: float, density: float) -> Profile:
    """One density from `start` to `end`."""
    return uniform(density).between(start, end)


def ramp(start: float, end: float, density: float, to: float = 0.0) -> Profile:
    """A straight line from `density` at `start` to `to` at `end`; turn it round by exchanging the two."""
    return Profile(lambda x: density + (to - density) * (x - start) / (end - start)).between(start, end)


def exponential(edge: float, scale: float, density: float, length: float | None = None) -> Profile:
    """A corona in front of `edge`: falls to the left by e in every `scale`, and is cut after `length`.

    Without a length after ten times the scale.
    """
    length = 10 * scale if length is None else length
    return Profile(lambda x: density * np.exp(-np.abs(edge - x) / scale)).between(edge - length, edge)


def gaussian(middle: float, sigma: float, density: float) -> Profile:
    return Profile(lambda x: density * np.exp(-(((x - middle) / sigma) ** 2) / 2))
