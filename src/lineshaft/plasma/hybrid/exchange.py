"""Exchange at the window's edge and behind it: fluid sends particles in, thermal particles join the fluid.

Emission: the half of the fluid's Gaussian that moves left crosses the edge at the rate
(n / gamma) [sigma / sqrt(2 pi) exp(-z^2 / 2) - u / 2 erfc(z / sqrt 2)], z = u / sigma, of the mean of the
first nodes. The particles start on the edge's node, which loses exactly their mass, momentum and energy, and
never more than MOST of its mass in a step. Absorption: a particle in the fluid within `radius` sigma of its
local Gaussian joins it by linear weights. Both conserve charge on every node, mass, momentum and <u^2>.

The fluid feels no pressure of its own at the edge: what leaves and what arrives carries it.
"""

import math
from dataclasses import dataclass, field

import numpy as np

from lineshaft.plasma.fluid.fluid import Fluid
from lineshaft.plasma.fluid.step import TINY
from lineshaft.plasma.pic import lists
from lineshaft.plasma.pic.compile import kernel
from lineshaft.plasma.pic.kernels import cpu
from lineshaft.plasma.pic.kernels.vectors import lanes
from lineshaft.plasma.pic.lists import BLOCK
from lineshaft.plasma.pic.species import Species

MOST = 0.3
NODES = 8  # whose mean sets the rate of emission
COLDEST = 1e-16
ABSORB_EVERY = 2  # steps


@dataclass
class Exchange:
    """Between a fluid and the particles of the same species; `radius` in sigma, `hottest` caps T per mass."""

    fluid: Fluid
    species: Species
    noise: np.ndarray  # state of the random numbers
    radius: float
    hottest: float
    owed: np.ndarray = field(
        default_factory=lambda: np.zeros(1)
    )  # fraction of a particle still to be emitted
    room: int = 0  # particles that the lists surely hold more

    def emit(self) -> float:
        """Particles into the cell left of the edge.

        Returns the charge that so moved from the edge's node, times the cells it moved: they cannot start on
        the node itself.
        """
        one, fluid = self.species, self.fluid
        row = (fluid.first - 1) // one.tile
        most = rate(fluid.store, fluid.first, one.weight, self.owed)
        if most == 0:
            return 0.0
        self.make_room(most, row)
        place = (fluid.first - row * one.tile) / one.tile
        apart = emit(one.lists, fluid.store, fluid.first, row, place, most, one.weight, self.noise)
        self.room -= most
        return one.charge * one.weight * one.tile * apart

    def make_room(self, number: int, row: int) -> None:
        """Grow the lists where they may not hold so many more, or not in this one."""
        one = self.species
        if self.room < number:
            self.room = lists.capacity(one.lists, one.rows) - one.number
        if self.room < number or not spacious(one.lists, one.rows, row, number):
            one.lists = lists.build(one.listed(), room=one.number // 4 + 16 * number)
            self.room = lists.capacity(one.lists, one.rows) - one.number
        if not spacious(one.lists, one.rows, row, number):
            raise RuntimeError(f"{one.name}: {number} particles a step do not fit into cell {row * one.tile}")

    def absorb(self) -> None:
        """Thermal particles beyond the edge into the fluid."""
        one, fluid = self.species, self.fluid
        absorb(
            one.lists, fluid.store, fluid.first, one.rows, one.tile, one.weight, self.radius**2, self.hottest
        )


@kernel
def spacious(lists, rows, row, number):
    """Whether a list and its neighbours stay within the bound of `lists` with so many more."""
    count, block = lists.count, row // BLOCK
    crowd = count[row] + number
    if row > 0:
        crowd += count[row - 1]
    if row + 1 < rows:
        crowd += count[row + 1]
    return crowd <= lists.width[block] * lanes(lists.pool) and number < BLOCK


@kernel
def rate(content, first, weight, owed):
    """Particles to emit in this step; what is left over is owed to the next."""
    n = m = w = p = 0.0
    for i in range(first, first + NODES):
        n += content[0, i]
        m += content[1, i]
        w += content[4, i]
        p += content[5, i]
    if n <= TINY:
        return 0
    u = m / n
    heat, beside = max(w / n - u * u, COLDEST), max(p / n, COLDEST)
    sigma = math.sqrt(heat)
    z = u / sigma
    gamma = math.sqrt(1.0 + heat + 2.0 * beside + u * u)
    share = sigma / math.sqrt(2.0 * math.pi) * math.exp(-0.5 * z * z) - 0.5 * u * math.erfc(
        z / math.sqrt(2.0)
    )
    wanted = n / (NODES - 0.5) / gamma * share / weight + owed[0]
    bound = math.floor(MOST * content[0, first] / weight)
    number = min(math.floor(wanted), bound)
    owed[0] = min(wanted - number, 1.0)
    return int(number)


@kernel
def normal(noise):
    """A standard normal number."""
    return math.sqrt(-2.0 * math.log(cpu.uniform(noise))) * math.cos(2.0 * math.pi * cpu.uniform(noise))


@kernel
def emit(lists, content, first, row, place, number, weight, noise):
    """Draw `number` particles from the left-going flux and append them to a list, just before `place` in it.

    Returns the sum of how far before, in the width of the list.
    """
    n = m = w = p = b = c = 0.0
    for i in range(first, first + NODES):
        n += content[0, i]
        m += content[1, i]
        b += content[2, i]
        c += content[3, i]
        w += content[4, i]
        p += content[5, i]
    u, b, c = m / n, b / n, c / n
    heat, beside = max(w / n - u * u, COLDEST), max(p / n, COLDEST)
    sigma, wide = math.sqrt(heat), math.sqrt(beside)
    fastest = 5.0 * sigma + abs(u)
    pool, lane, block = lists.pool, lanes(lists.pool), row // BLOCK
    start = lists.base[block] + (row - block * BLOCK) * lists.width[block]
    at = min(pool.dtype.type(place), np.nextafter(pool.dtype.type(1), pool.dtype.type(0)))
    before = np.nextafter(at, pool.dtype.type(0))
    for _ in range(number):
        x = u + sigma * normal(noise)
        tries = 0
        while x >= 0.0 or cpu.uniform(noise) * fastest >= -x:
            x = u + sigma * normal(noise)
            tries += 1
            if tries > 1000:
                x = -sigma
                break
        y, z = b + wide * normal(noise), c + wide * normal(noise)
        size = lists.count[row]
        if size & (lane - 1) == 0:
            cpu.allocate(lists, block, start, size)
        q = cpu.slot(lists, start, size)
        pool[q], pool[q + lane], pool[q + 2 * lane], pool[q + 3 * lane] = before, x, y, z
        lists.count[row] = size + 1
        share(content, first, -weight, pool[q + lane], pool[q + 2 * lane], pool[q + 3 * lane])
    borrow(content, first, heat, beside)
    cpu.balance(lists)
    return number * (place - before)


@kernel
def share(content, i, weight, ux, uy, uz):
    """Add a particle to a node (or take it away); drift across that changes becomes heat, energy stays."""
    n = content[0, i]
    drift = (content[2, i] ** 2 + content[3, i] ** 2) / max(n, TINY)
    content[0, i] = n + weight
    content[1, i] += weight * ux
    content[2, i] += weight * uy
    content[3, i] += weight * uz
    content[4, i] += weight * ux * ux
    after = (content[2, i] ** 2 + content[3, i] ** 2) / max(n + weight, TINY)
    content[5, i] += 0.5 * (weight * (uy * uy + uz * uz) + drift - after)


@kernel
def borrow(content, i, heat, beside):
    """Let the next node lend what a node lacks to a quarter of its neighbourhood's temperature."""
    n, m = max(content[0, i], TINY), max(content[0, i + 1], TINY)
    need = 0.25 * heat * n - (content[4, i] - content[1, i] ** 2 / n)
    spare = 0.5 * (content[4, i + 1] - content[1, i + 1] ** 2 / m)
    lent = max(min(need, spare), 0.0)
    content[4, i] += lent
    content[4, i + 1] -= lent
    lent = max(min(0.25 * beside * n - content[5, i], 0.5 * content[5, i + 1]), 0.0)
    content[5, i] += lent
    content[5, i + 1] -= lent


@kernel
def absorb(lists, content, first, rows, tile, weight, square, hottest):
    """Give the fluid the particles beyond its first node that its Gaussian explains; returns how many."""
    pool, lane, taken = lists.pool, lanes(lists.pool), 0
    for row in range(first // tile, rows):
        was = lists.count[row]
        if was == 0:
            continue
        block = row // BLOCK
        start = lists.base[block] + (row - block * BLOCK) * lists.width[block]
        size, last = was, -1
        a = b = c = cold = cool = 0.0
        for i in range(was - 1, -1, -1):
            p = cpu.slot(lists, start, i)
            place = pool[p] * tile
            cell = row * tile + int(place)
            if cell < first:
                continue
            if cell != last:
                last = cell
                n = content[0, cell] + content[0, cell + 1]
                if n <= TINY:
                    cold = 0.0
                    continue
                a = (content[1, cell] + content[1, cell + 1]) / n
                b = (content[2, cell] + content[2, cell + 1]) / n
                c = (content[3, cell] + content[3, cell + 1]) / n
                heat = (content[4, cell] + content[4, cell + 1]) / n - a * a
                cold = 1.0 / min(max(heat, COLDEST), hottest)
                cool = 1.0 / min(max((content[5, cell] + content[5, cell + 1]) / n, COLDEST), hottest)
            ux, uy, uz = pool[p + lane], pool[p + 2 * lane], pool[p + 3 * lane]
            if cold == 0.0 or (ux - a) ** 2 * cold + ((uy - b) ** 2 + (uz - c) ** 2) * cool >= square:
                continue
            x = place - int(place)
            share(content, cell, weight * (1.0 - x), ux, uy, uz)
            share(content, cell + 1, weight * x, ux, uy, uz)
            size -= 1
            taken += 1
            cpu.copy(pool, cpu.slot(lists, start, size), p)
        if size < was:
            lists.count[row] = size
            cpu.release(lists, block, start, size, was)
    if taken > 0:
        cpu.balance(lists)
    return taken
