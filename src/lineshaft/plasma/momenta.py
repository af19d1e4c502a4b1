"""Momenta of a gas at any temperature: Maxwell-Juettner, with a drift.

f(u) ~ exp(-gamma / T), T in units of m c^2, isotropic: the modulus is drawn by inverting its distribution,
u^2 exp(-(gamma - 1) / T), which a fine table holds. A drift is a Lorentz boost of the gas; a particle at rest
in the box counts in proportion to gamma' / gamma, so that half of the momenta are turned round first with the
flipping rule of S. Zenitani, Physics of Plasmas 22, 042116 (2015), section III.
"""

import numpy as np

TABLE = 20_000


def thermal(rng: np.random.Generator, n: int, heat: float) -> np.ndarray:
    """u = gamma v (c) of n particles of temperature `heat` (m c^2), [3, n]."""
    if heat <= 0:
        return np.zeros((3, n))
    modulus = np.interp(rng.random(n), *inverse(heat))
    direction = rng.normal(size=(3, n))
    return modulus * direction / np.sqrt(np.square(direction).sum(0))


def inverse(heat: float) -> tuple[np.ndarray, np.ndarray]:
    """The distribution of |u| and the values of |u| it belongs to."""
    kinetic = 45 * heat  # beyond lies less than 1e-15 of a gas of any temperature
    u = np.linspace(0, 1, TABLE) ** 1.5 * np.sqrt(kinetic * (kinetic + 2))
    above = u * u / (1 + np.sqrt(1 + u * u))
    density = u * u * np.exp(-above / heat)
    cumulative = np.concatenate([[0], np.cumsum((density[1:] + density[:-1]) / 2 * np.diff(u))])
    return cumulative / cumulative[-1], u


def drifting(rng: np.random.Generator, n: int, heat: float, drift: tuple[float, float, float]) -> np.ndarray:
    """A gas of temperature `heat` in its own frame, which moves with u = `drift`, [3, n]."""
    u, boost = thermal(rng, n, heat), np.asarray(drift, float)[:, None]
    total = float(np.sqrt(np.square(boost).sum()))
    if total == 0:
        return u
    axis, gamma = boost / total, float(np.sqrt(1 + total**2))
    own, along = np.sqrt(1 + np.square(u).sum(0)), (axis * u).sum(0)
    flipped = rng.random(n) < -(total / gamma) * along / own
    along = np.where(flipped, -along, along)
    across = u - axis * (axis * u).sum(0)
    return across + axis * (gamma * along + total * own)


def mean_energy(heat: float) -> float:
    """Mean of gamma - 1 of the gas at rest, by quadrature of the same distribution."""
    cumulative, u = inverse(heat)
    above = u * u / (1 + np.sqrt(1 + u * u))
    return float((np.diff(cumulative) * (above[1:] + above[:-1]) / 2).sum())
