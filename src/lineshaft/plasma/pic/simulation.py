"""Species and fields in one box, stepped together.

Units: c = omega0 = m_e = e = 1: lengths in c / omega0, times in 1 / omega0, densities in n_c (the density at
which omega_p = omega0), fields in m_e c omega0 / e, energies in m_e c^2; energies of a box are per area, in
m_e c^2 n_c c / omega0. The step is dt = dx. Momenta are half a step behind positions and fields.
"""

import math
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import torch

from lineshaft.plasma.pic import fields, grids, lists
from lineshaft.plasma.pic.kernels import cpu
from lineshaft.plasma.pic.laser import Pulse, waves
from lineshaft.plasma.pic.lists import Particles
from lineshaft.plasma.pic.species import Species
from lineshaft.plasma.pic.walls import OPEN, Wall, coded

CHECK_EVERY = 16  # steps between two looks for values that are not finite
FEW = 100_000  # particles of a species up to which one thread is as fast as several


class Continuum(Protocol):
    """A species, or a part of one, that is not made of particles: what measurements ask of it."""

    name: str
    charge: float
    mass: float

    def density(self) -> np.ndarray: ...

    def energy(self, dx: float) -> float: ...

    def points(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]: ...


class Broken(RuntimeError):
    """The simulation holds values that are not finite: it must not go on."""


class Simulation:
    """A box of `cells` cells of length `dx`, between two `walls` or (None) periodic.

    It starts from the field of its charges (Poisson's equation) plus what `fields` is given by the caller.
    `background` is the density of charges that do not move, on the nodes. With `light_cone`, nothing moves
    before light from the left end could have reached it: for targets that are at rest until then.
    `fluids` are parts of species that are not particles; a subclass moves them.
    """

    fluids: Sequence[Continuum] = ()

    def __init__(
        self,
        cells: int,
        dx: float,
        species: Sequence[Species],
        pulses: Sequence[Pulse] = (),
        walls: tuple[Wall, Wall] | None = OPEN,
        background: np.ndarray | None = None,
        light_cone: bool = False,
        seed: int = 0,
    ) -> None:
        if cells < 1 or not (dx > 0 and math.isfinite(dx)):
            raise ValueError(f"a box needs at least one cell of finite length, not {cells} of {dx}")
        if walls is None and any(pulse.a0 for pulse in pulses):
            raise ValueError("a periodic box has no end at which a pulse could enter: give it walls")
        for one in species:
            if one.cells * one.coarse != cells:
                raise ValueError(f"{one.name}: {one.cells} cells {one.coarse} wide are not the box's {cells}")
            if one.coarse > 1 and walls != OPEN:
                raise ValueError(f"{one.name}: coarse cells need absorbing walls at both ends")
        self.cells, self.dx, self.species, self.pulses = cells, dx, list(species), tuple(pulses)
        self.walls, self.light_cone, self.steps = walls, light_cone, 0
        self.ends = coded(walls)
        self.noise = np.array([seed], np.uint64)
        self.real = self.species[0].lists.pool.dtype.type if species else np.float64
        self.fields = fields.build(cells, np.dtype(self.real))
        self.background = np.zeros(cells + 1) if background is None else np.asarray(background, float)
        charge = self.charge_density() + self.background
        self.fields.along[:] = fields.electrostatic(charge, dx, self.periodic)
        fields.refresh(self.fields, self.periodic, self.fields.along.size)
        self.peak = self.densest()

    @property
    def periodic(self) -> bool:
        return self.walls is None

    @property
    def time(self) -> float:
        return self.steps * self.dx

    @property
    def reached(self) -> int:
        """Cells in which particles move."""
        return min(self.cells, self.steps + 2) if self.light_cone else self.cells

    def run(self, steps: int, after: Callable[["Simulation"], None] | None = None) -> None:
        """Advance by `steps` steps; call `after` at the end of each."""
        for entering in waves(self.pulses, (self.steps + 1 + np.arange(steps)) * self.dx):
            self.step(entering)
            self.steps += 1
            if self.steps % CHECK_EVERY == 0:
                self.check()
            if after is not None:
                after(self)
        self.check()

    def step(self, entering: np.ndarray) -> None:
        """One step of everything in the box; `entering` are the waves at its ends."""
        for one in self.species:
            self.push(one)
        fields.advance(self.fields, self.dx, entering, self.ends, self.reached)

    def push(self, one: Species) -> None:
        """Push a species and add its current to the fields'."""
        coarse, nodes, current = one.coarse, self.fields.nodes, self.fields.current
        cells, until = self.cells, self.reached
        if coarse > 1:
            cells, until = cells // coarse, -(-until // coarse)
            nodes, current = grids.averaged(nodes, coarse, until), np.zeros((3, cells + 3))
        kick, charge = self.real(self.dx / 2 * one.charge / one.mass), one.charge * one.weight
        walls = coded(self.walls, one.mass)
        rows, until, edge = one.rows, -(-until // one.tile), current
        pace = self.real(1 / (coarse * one.tile))
        if one.tile > 1:
            edge = np.zeros((3, rows + 3))
            cpu.sweep_tiles(one.lists, rows, one.tile, nodes, kick, pace, until, charge, current)
        else:
            held = int(one.lists.count[:until].sum()) if coarse == 1 else 0
            sweep = cpu.sweep_alone if held < FEW else cpu.sweep_blocks
            sweep(one.lists, rows, nodes, kick, pace, until)
        crowded = cpu.merge(one.lists, rows, walls, self.noise, charge, edge, one.lost, until)
        if coarse > 1:
            grids.spread(current, coarse, self.fields.current, until)
        if crowded:
            one.regrow()

    def check(self) -> None:
        """Raise where the fields, and so the particles that made them, are not finite."""
        if math.isfinite(float(self.fields.nodes.sum(dtype=np.float64))):
            return
        cell = int((~np.isfinite(self.fields.nodes)).any(0).argmax())
        raise Broken(
            f"fields are not finite at step {self.steps} (time {self.time:g}), first in cell "
            f"{min(cell, self.cells - 1)} at x = {cell * self.dx:g} c/omega0"
        )

    def particles(self, one: Species) -> Particles:
        return one.particles()

    def groups(self) -> dict[str, list[Species]]:
        """Species by name: the classes of weight of each (none where all of one is fluid)."""
        found: dict[str, list[Species]] = {}
        for one in self.species:
            found.setdefault(one.name, []).append(one)
        for fluid in self.fluids:
            found.setdefault(fluid.name, [])
        return found

    def count(self) -> int:
        """Particles in the box, of all species."""
        return sum(one.number for one in self.species)

    def densest(self) -> float:
        """Highest density of one species in a cell, in n_c."""
        return max((float(self.density(name).max(initial=0)) for name in self.groups()), default=0.0)

    def density(self, name: str) -> np.ndarray:
        """Density of a species in each cell, over its classes of weight and its fluid, in n_c."""
        total = grids.density(self.groups()[name], self.cells)
        for fluid in self.fluids:
            if fluid.name == name:
                total += cells_of(fluid.density())
        return total

    def charge_density(self) -> np.ndarray:
        """Charge density on the nodes, [cells + 1], in float64, background excluded."""
        density = np.zeros(self.cells + 1)
        for one in self.species:
            density += one.charge * one.weight * grids.shares(one, self.cells)
        for fluid in self.fluids:
            density += fluid.charge * fluid.density()
        if self.periodic:
            density[0] = density[-1] = density[0] + density[-1]
        return density

    def state(self) -> dict:
        """Everything a later `restore` needs to go on bit by bit the same, as tensors and numbers."""
        return {
            "steps": self.steps,
            "noise": int(self.noise[0]) & (2**63 - 1),
            "high": bool(self.noise[0] >> np.uint64(63)),
            "fields": [torch.tensor(x) for x in self.fields],
            "species": [[torch.tensor(x) for x in (*one.listed(), one.lost)] for one in self.species],
        }

    def restore(self, state: dict) -> None:
        """Go on from a state of a simulation that was built alike."""
        self.steps = state["steps"]
        self.noise = np.array([state["noise"] | (int(state["high"]) << 63)], np.uint64)
        self.fields = fields.Fields(*(x.numpy().copy() for x in state["fields"]))
        for one, (count, offset, momentum, lost) in zip(self.species, state["species"]):
            one.lists = lists.build(Particles(count.numpy(), offset.numpy(), momentum.numpy()))
            one.lost = lost.numpy().copy()


def cells_of(nodes: np.ndarray) -> np.ndarray:
    """What nodes hold, in the cells between them: half of each to either side, all of it at the ends."""
    halves = nodes / 2
    halves[0], halves[-1] = nodes[0], nodes[-1]
    return halves[:-1] + halves[1:]
