"""A fluid species in a box: its moments on the nodes, where it begins, and how it steps with the fields."""

from dataclasses import dataclass, field

import numpy as np

from lineshaft.plasma.fluid import step
from lineshaft.plasma.pic.lists import Particles

MOMENTS = 6
STIFF = 2e-1  # share of the temperature at the start below which a node may not cool


@dataclass
class Fluid:
    """The fluid of one species on the nodes `first`..`last`; charge in e, mass in m_e.

    `content` [6, cells + 1] are the moments of `step`, in n_c for a whole dual cell; the node `first`
    holds the right half of one where particles are to its left. `every` steps are taken at once, with a
    current that is spread over them.
    """

    name: str
    charge: float
    mass: float
    content: np.ndarray
    first: int
    last: int
    floor: float  # least T, per mass
    every: int = 1
    walls: tuple[bool, bool] = (True, True)
    made: np.ndarray = field(default_factory=lambda: np.zeros(1))  # sum of n dT that came from nothing
    pending: int = 0  # steps for which the current still flows

    def __post_init__(self) -> None:
        given, nodes = self.content, self.content.shape[1]
        self.store = step.padded(MOMENTS, nodes)
        self.content = self.store[:, :nodes]
        self.content[:] = given
        self.state = step.padded(step.STATE, nodes)
        self.state[[6, 8]] = 1.0
        self.flux = step.padded(MOMENTS, nodes)
        self.fields = step.padded(5, nodes)
        self.current = np.zeros((3, nodes + 2))
        self.range = (self.first, self.last)

    @classmethod
    def of(
        cls, name: str, charge: float, mass: float, density: np.ndarray, heat: float, drift: np.ndarray
    ) -> "Fluid":
        """A gas of temperature `heat` (T / mass) and momenta `drift` [3, cells + 1] on every node."""
        content = np.empty((MOMENTS, density.size))
        content[0] = density
        content[1:4] = density * drift
        content[4] = density * (drift[0] ** 2 + heat)
        content[5] = density * heat
        return cls(name, charge, mass, content, 0, density.size - 1, STIFF * heat)

    def move(self, nodes: np.ndarray, current: np.ndarray, dt: float, until: int) -> None:
        """One step of the fluid left of the node `until`; its current is added to the box's."""
        if self.pending == 0:
            self.pending = self.every
            last = min(self.last, max(until, self.first))
            self.range = (self.first, last)
            if last > self.first:
                self.current[:] = 0
                edges = step.edges_of(
                    0.5, self.walls[0], 0.5 if last == self.last else 1.0, self.walls[1] or last < self.last
                )
                half = dt / 2 * self.charge / self.mass
                arrays = self.store, self.state, self.flux, self.fields, self.current, nodes
                step.advance(
                    *arrays, *self.range, half, self.floor, self.charge, self.every, edges, self.made
                )
        self.pending -= 1
        if self.range[1] > self.range[0]:
            step.add(self.current, current, *self.range)

    def work(self, along: np.ndarray, current: np.ndarray, dt: float) -> None:
        """Take up the work of Ex; `current` is of all species, the fields have not advanced yet."""
        lo, hi = self.range
        if hi > lo:
            kick = dt * self.charge / self.mass
            step.work(self.content, self.state, self.flux, along, current, lo, hi, kick, dt)

    def density(self) -> np.ndarray:
        """What each node holds, in n_c, at this moment: a current of several steps has flowed in part."""
        if self.pending == 0:
            return self.content[0].copy()
        ahead = np.zeros(self.content.shape[1])
        lo, hi = self.range
        ahead[lo:hi] -= self.flux[0, lo:hi]
        ahead[lo + 1 : hi + 1] += self.flux[0, lo:hi]
        return self.content[0] - self.pending * ahead

    def energy(self, dx: float) -> float:
        """Kinetic energy per area: m n (gamma - 1) a node, gamma^2 - 1 = (W + 2 P) / n + u_across^2."""
        n, _, my, mz, along, across = self.content
        inverse = 1.0 / np.maximum(n, step.TINY)
        square = (along + 2 * across) * inverse + (my**2 + mz**2) * inverse**2
        square = np.maximum(square, 0)
        return float(dx * self.mass * (n * square / (1 + np.sqrt(1 + square))).sum())

    def invented(self, dx: float) -> float:
        """Energy per area that the floor of the temperature made from nothing."""
        return float(self.made[0] * self.mass * dx / 2)

    def points(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Weighted points with the fluid's exact moments: node[m], momentum[3, m], content[m].

        Six a node, sqrt(3) sigma away from the mean on either side of each axis.
        """
        held = np.flatnonzero(self.content[0] > 0)
        n = self.content[0, held]
        mean = self.content[1:4, held] / n
        heat = np.maximum(self.content[4, held] / n - mean[0] ** 2, 0)
        beside = np.maximum(self.content[5, held] / n, 0)
        sigma = np.sqrt(3 * np.stack([heat, beside, beside]))
        momentum = np.repeat(mean[:, :, None], 6, 2)
        for k in range(3):
            momentum[k, :, 2 * k] += sigma[k]
            momentum[k, :, 2 * k + 1] -= sigma[k]
        return np.repeat(held, 6), momentum.reshape(3, -1), np.repeat(n / 6, 6)

    def take(self, particles: Particles, weight: float) -> None:
        """Add particles by linear weights: every moment exactly, the charge on every node too."""
        cell, x, u = particles.cell, particles.offset.astype(float), particles.momentum.astype(float)
        nodes = self.content.shape[1]

        def shared(values: np.ndarray) -> np.ndarray:
            left = np.bincount(cell, (1 - x) * values * weight, nodes)
            return left + np.bincount(cell + 1, x * values * weight, nodes)

        before = self.content.copy()
        self.content[0] += shared(np.ones_like(x))
        for k in range(3):
            self.content[1 + k] += shared(u[k])
        self.content[4] += shared(u[0] ** 2)
        self.content[5] += shared((u[1] ** 2 + u[2] ** 2) / 2) + drifting(before) - drifting(self.content)

    def arrays(self) -> tuple[np.ndarray, ...]:
        """What the next step depends on."""
        return self.store, self.state, self.flux, self.current, self.made

    def state_dict(self) -> dict:
        """What `restore` needs, as arrays and numbers."""
        return {
            "arrays": [x.copy() for x in self.arrays()],
            "numbers": [self.first, self.last, self.pending, *self.range],
        }

    def restore(self, state: dict) -> None:
        for mine, kept in zip(self.arrays(), state["arrays"]):
            mine[:] = kept
        self.first, self.last, self.pending, *edges = (int(x) for x in state["numbers"])
        self.range = (edges[0], edges[1])


def drifting(content: np.ndarray) -> np.ndarray:
    """Half the square of the drift across, times the density: what is not heat of <u_y^2 + u_z^2> / 2."""
    return (content[2] ** 2 + content[3] ** 2) / np.maximum(content[0], step.TINY) / 2
