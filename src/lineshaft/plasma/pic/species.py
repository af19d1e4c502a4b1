"""Particles of one kind and one weight, and the checks that keep bad ones out of the lists."""

import math
from dataclasses import dataclass

import numpy as np

from lineshaft.plasma.pic import lists
from lineshaft.plasma.pic.kernels import cpu
from lineshaft.plasma.pic.lists import Particles


@dataclass
class Species:
    """One kind of particle: its charge (e), mass (m_e) and the density (n_c) one of them gives its cell.

    Several of one name are classes of different weight of the same particles. `coarse` is the width of this
    one's cells in cells of the box. Its lists hold `tile` of its cells each: more than one where particles
    are few.
    """

    name: str
    charge: float
    mass: float
    weight: float
    lists: lists.Lists
    lost: np.ndarray  # [2] number and sum of (gamma - 1) of those absorbed at the ends
    coarse: int = 1
    tile: int = 1

    @classmethod
    def of(
        cls,
        name: str,
        charge: float,
        mass: float,
        weight: float,
        particles: Particles,
        coarse: int = 1,
        tile: int = 1,
    ) -> "Species":
        for what, value in (("mass", mass), ("weight", weight)):
            if not (value > 0 and math.isfinite(value)):
                raise ValueError(f"{name}: the {what} of a particle is above 0 and finite, not {value}")
        if not math.isfinite(charge):
            raise ValueError(f"{name}: the charge of a particle is finite, not {charge}")
        checked(name, particles)
        held = lists.build(tiled(particles, tile))
        return cls(name, charge, mass, weight, held, np.zeros(2), coarse, tile)

    @property
    def rows(self) -> int:
        """Its lists in the box."""
        return self.lists.count.size - 3 * self.lists.base.size

    @property
    def cells(self) -> int:
        return self.rows * self.tile

    def particles(self) -> Particles:
        """All particles, cell by cell."""
        return untiled(lists.flatten(self.lists, self.rows), self.tile)

    def listed(self) -> Particles:
        """All particles, list by list: what `lists.build` makes the same lists of."""
        return lists.flatten(self.lists, self.rows)

    def regrow(self) -> None:
        """The same lists in the same order, with more room."""
        self.lists = lists.build(self.listed())

    def fill(self, particles: Particles) -> None:
        """Hold these particles instead."""
        self.lists = lists.build(tiled(particles, self.tile))

    @property
    def number(self) -> int:
        return int(self.lists.count[: self.rows].sum())

    def insert(self, cell: np.ndarray, offset: np.ndarray, momentum: np.ndarray) -> None:
        """Add particles behind those of their lists; momentum is [3, n]."""
        wanted, real = self.number + cell.size, self.lists.pool.dtype
        row, offset = cell // self.tile, ((cell % self.tile + offset) / self.tile).astype(real)
        offset = np.minimum(offset, np.nextafter(real.type(1), real.type(0)))
        if wanted > lists.capacity(self.lists, self.rows) or not fits(self.lists, row, self.rows):
            held = lists.flatten(self.lists, self.rows)
            self.lists = lists.build(merged(held, row, offset, momentum), room=wanted // 2)
            return
        cpu.insert(self.lists, row, offset, momentum.astype(real))
        if cpu.crowd(self.lists, self.rows, self.rows):
            self.regrow()


def kept(held: Particles, chosen: np.ndarray) -> Particles:
    """The chosen ones of some particles, bool[n]."""
    count = np.bincount(held.cell[chosen], minlength=held.count.size)
    return Particles(count, held.offset[chosen], held.momentum[:, chosen])


def tiled(particles: Particles, tile: int) -> Particles:
    """Cells joined to tiles: counts of tiles, offsets in a tile."""
    if tile == 1:
        return particles
    real = particles.offset.dtype
    offset = ((particles.cell % tile + particles.offset.astype(float)) / tile).astype(real)
    offset = np.minimum(offset, np.nextafter(real.type(1), real.type(0)))
    count = np.add.reduceat(particles.count, np.arange(0, particles.count.size, tile))
    return Particles(count, offset, particles.momentum)


def untiled(particles: Particles, tile: int) -> Particles:
    """Tiles parted into cells again; the order within a tile becomes that of its cells."""
    if tile == 1:
        return particles
    place = particles.offset.astype(float) * tile
    within = place.astype(np.int64)
    cell = particles.cell * tile + within
    order = np.argsort(cell, kind="stable")
    real = particles.offset.dtype
    offset = np.minimum((place - within).astype(real), np.nextafter(real.type(1), real.type(0)))
    count = np.bincount(cell, minlength=particles.count.size * tile)
    return Particles(count, offset[order], particles.momentum[:, order])


def fits(some: lists.Lists, cell: np.ndarray, cells: int) -> bool:
    """Whether the cells' rows and the blocks' free chunks have room for particles in these cells."""
    count, lanes = np.bincount(cell, minlength=cells), lists.lanes_of(some.pool.dtype)
    block = np.arange(cells) // lists.BLOCK
    rows = some.count[:cells] + count <= some.width[block] * lanes
    chunks = np.bincount(block, -(-count // lanes) + (count > 0), some.width.size)
    return bool(rows.all() and (chunks <= lists.BLOCK).all())


def merged(held: Particles, cell: np.ndarray, offset: np.ndarray, momentum: np.ndarray) -> Particles:
    """Particles and more of them, in the order of their cells."""
    order = np.argsort(np.concatenate([held.cell, cell]), kind="stable")
    real = held.offset.dtype
    return Particles(
        held.count + np.bincount(cell, minlength=held.count.size),
        np.concatenate([held.offset, offset.astype(real)])[order],
        np.concatenate([held.momentum, momentum.astype(real)], 1)[:, order],
    )


def checked(name: str, particles: Particles) -> None:
    """Refuse particles that the lists cannot hold: the error names the first of them."""
    count, offset, momentum = particles
    if count.min(initial=0) < 0 or int(count.sum()) != offset.size or momentum.shape != (3, offset.size):
        raise ValueError(
            f"{name}: counts of {int(count.sum())} particles, {offset.size} offsets and momenta of shape "
            f"{momentum.shape} do not fit together"
        )
    wrong = ~((offset >= 0) & (offset < 1))
    if wrong.any():
        i = int(wrong.argmax())
        raise ValueError(
            f"{name}: particle {i} in cell {particles.cell[i]} has the offset {offset[i]}, not in [0, 1)"
        )
    wrong = ~np.isfinite(momentum).all(0)
    if wrong.any():
        i = int(wrong.argmax())
        raise ValueError(
            f"{name}: particle {i} in cell {particles.cell[i]} has the momentum {momentum[:, i]}"
        )
