"""Thermal or not, decided while particles move: who is not is kept in lists of its own.

A particle stays 32 bytes: its label is the list it is in, so each class of weight of a species becomes two.
Every few steps each block of 20 cells is looked at. A thermal particle farther than `radius` sigma from the
block's thermal Gaussian stops being so, and becomes thermal again once it is nearer than `back` (hysteresis:
a fresh split of each snapshot swaps roles where a beam outnumbers the bulk). What passes from one to the
other is recorded with its moments: the events from which an injection is learned.

A Gaussian has `expected` of its particles beyond the radius: the rate of false alarms. The first look splits
afresh, as `split.nonthermal` does, and its share is kept: on a plasma at rest it measures that rate. Later
more of a thermal plasma carries the label, since what was once outside keeps it until it is near.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from pydantic import Field, model_validator

from lineshaft.engine import Part, RequestError, Run
from lineshaft.plasma import split
from lineshaft.plasma.pic import lists
from lineshaft.plasma.pic.compile import kernel
from lineshaft.plasma.pic.kernels import cpu
from lineshaft.plasma.pic.kernels.vectors import lanes
from lineshaft.plasma.pic.lists import Particles
from lineshaft.plasma.pic.simulation import Simulation
from lineshaft.plasma.pic.species import Species

MOMENTS = ("number", "ux", "uy", "uz", "uxux", "uyuy", "uzuz", "energy")
"""Sums over the particles of a block, per area; energy in m_e c^2, momenta in m c of the species."""
CELLS = split.BLOCK_CELLS
LEAST = 8  # particles without which a block tells nothing


class Labels(Part):
    """How particles are labelled thermal or not while they move."""

    every: int = Field(0, ge=0, description="steps between two looks; 0: no labels while particles move")
    radius: float = Field(split.RADIUS, gt=0, description="farther than so many sigma is not thermal")
    back: float = Field(split.RETURN, ge=0, description="nearer than so many becomes thermal; 0: none does")

    @model_validator(mode="after")
    def has_hysteresis(self) -> "Labels":
        if self.back > self.radius:
            raise ValueError(
                f"labels.back={self.back:g} exceeds labels.radius={self.radius:g}: particles would change "
                "sides at every look; lower it"
            )
        return self

    @property
    def expected(self) -> float:
        """Share of a Gaussian in three dimensions beyond the radius."""
        r = self.radius
        return math.erfc(r / math.sqrt(2)) + math.sqrt(2 / math.pi) * r * math.exp(-(r**2) / 2)

    @property
    def shrink(self) -> float:
        """Variance on an axis of a Gaussian cut off at the radius, over that of the whole.

        The Gaussian is fitted to what is thermal, so without this it is too narrow: at 3 sigma that makes
        two thirds more false alarms.
        """
        r, within = self.radius, 1 - self.expected
        return 1 - math.sqrt(2 / math.pi) * r**3 / 3 * math.exp(-(r**2) / 2) / within


@dataclass
class Pair:
    """One class of weight: its thermal particles and the others."""

    thermal: Species
    fast: Species

    def __getitem__(self, which: int) -> Species:
        return (self.thermal, self.fast)[which]


class Labelled:
    """A simulation whose particles carry labels. Called after every step; looks where one is due.

    `moments` [species][2, blocks, 8] are those of the thermal and of the others at the last look, `moved`
    what has become non-thermal and thermal since the last row was taken.
    """

    def __init__(self, simulation: Simulation, how: Labels) -> None:
        self.how, self.dx = how, simulation.dx
        self.pairs = paired(simulation)
        self.blocks = -(-simulation.cells // CELLS)
        self.moments = {name: np.zeros((2, self.blocks, len(MOMENTS))) for name in self.pairs}
        self.moved = {name: np.zeros((2, self.blocks, len(MOMENTS))) for name in self.pairs}
        self.rows: dict[str, list[np.ndarray]] = {name: [] for name in self.pairs}
        for _ in range(split.ROUNDS):
            if not self.look(how.radius, how.radius):
                break
        self.first = self.shares()
        for one in self.moved.values():
            one[:] = 0

    def __call__(self, simulation: Simulation) -> None:
        if simulation.steps % self.how.every == 0:
            self.look(self.how.radius, self.how.back)

    def look(self, radius: float, back: float) -> int:
        """Move particles between the lists of each pair; returns how many changed sides."""
        changed = 0
        for name, pairs in self.pairs.items():
            found = self.measure(name)
            least = (LEAST - 0.5) * min(pair.thermal.weight for pair in pairs) * self.dx
            centre = gaussians(found[0], least, self.how.shrink)
            for pair in pairs:
                changed += self.pass_over(name, pair, 0, centre, radius)
                if back > 0:
                    changed += self.pass_over(name, pair, 1, centre, back)
            self.measure(name)
        return changed

    def measure(self, name: str) -> np.ndarray:
        """Moments of a species' thermal particles and of the others, in each block."""
        found = self.moments[name]
        found[:] = 0
        for pair in self.pairs[name]:
            for which in (0, 1):
                one = pair[which]
                gather(one.lists, one.rows, one.weight * self.dx, one.mass, found[which])
        return found

    def pass_over(self, name: str, pair: Pair, source: int, centre: np.ndarray, radius: float) -> int:
        """What of one side lies beyond (or, of the others, within) the radius goes to the other side."""
        one, other = pair[source], pair[1 - source]
        cell, values = np.empty(one.number, np.int64), np.empty((4, one.number), one.lists.pool.dtype)
        count = take(one.lists, one.rows, centre, radius**2, source == 0, cell, values)
        if count:
            cell, values = cell[:count], values[:, :count]
            other.insert(cell, values[0], values[1:])
            add(self.moved[name][source], cell // CELLS, values[1:], one.weight * self.dx, one.mass)
        return count

    def shares(self) -> dict[str, tuple[float, float]]:
        """The non-thermal share of each species' particles and of its energy."""
        found = {}
        for name, moments in self.moments.items():
            number, energy = moments[:, :, 0].sum(1), moments[:, :, -1].sum(1)
            found[name] = (
                float(number[1] / max(number.sum(), 1e-300)),
                float(energy[1] / max(energy.sum(), 1e-300)),
            )
        return found

    def row(self) -> None:
        """Keep the moments and what has moved since the last row."""
        for name, kept in self.rows.items():
            kept.append(np.stack([*self.moments[name], *self.moved[name]]).astype(np.float32))
            self.moved[name][:] = 0

    def save(self, run: Run) -> dict[str, float]:
        """`labels_NAME` [rows, 4, blocks, MOMENTS]: thermal, not, becoming non-thermal, becoming thermal."""
        metrics = {"labels/expected": self.how.expected}
        for name, (fraction, share) in self.shares().items():
            rows = np.stack(self.rows[name])
            run.array(f"labels_{name}", rows)
            short, whole = name.removesuffix("s"), max(float(self.moments[name][:, :, 0].sum()), 1e-300)
            metrics |= {
                f"labels/{short}_fraction": fraction,
                f"labels/{short}_energy_share": share,
                f"labels/{short}_first": self.first[name][0],
                f"labels/{short}_injected": float(rows[:, 2, :, 0].sum() / whole),
                f"labels/{short}_returned": float(rows[:, 3, :, 0].sum() / whole),
            }
        return metrics

    def state(self) -> dict:
        """As tensors, for a checkpoint; the particles are the simulation's."""
        return {
            "first": {name: list(shares) for name, shares in self.first.items()},
            "moments": {name: torch.tensor(x) for name, x in self.moments.items()},
            "moved": {name: torch.tensor(x) for name, x in self.moved.items()},
            "rows": {name: [torch.tensor(x) for x in kept] for name, kept in self.rows.items()},
        }

    def restore(self, state: dict) -> None:
        self.first = {name: (shares[0], shares[1]) for name, shares in state["first"].items()}
        for name in self.pairs:
            self.moments[name][:] = state["moments"][name].numpy()
            self.moved[name][:] = state["moved"][name].numpy()
            self.rows[name] = [x.numpy().copy() for x in state["rows"][name]]


def paired(simulation: Simulation) -> dict[str, list[Pair]]:
    """Give every class of weight lists for what is not thermal; the simulation steps them like any other."""
    if simulation.fluids or any(one.tile > 1 or one.coarse > 1 for one in simulation.species):
        raise RequestError(
            "labels need a solver whose particles all lie on the box's own cells: use solver=particles, or "
            "labels.every=0"
        )
    pairs: dict[str, list[Pair]] = {}
    for one in list(simulation.species):
        real = one.lists.pool.dtype
        nothing = Particles(np.zeros(one.cells, np.int64), np.zeros(0, real), np.zeros((3, 0), real))
        pair = Pair(one, replace(one, lists=lists.build(nothing), lost=np.zeros(2)))
        simulation.species.append(pair.fast)
        pairs.setdefault(one.name, []).append(pair)
    return pairs


def gaussians(thermal: np.ndarray, least: float, shrink: float) -> np.ndarray:
    """Mean momentum and 1 / variance of each block [6, blocks].

    The latter is negative where fewer than `least` are thermal.
    """
    number = np.maximum(thermal[:, 0], 1e-300)
    mean = thermal[:, 1:4].T / number
    variance = np.maximum(thermal[:, 4:7].T / number - mean**2, 1e-20)
    return np.concatenate([mean, np.where(thermal[:, 0] < least, -1.0, shrink / variance)])


def add(sums: np.ndarray, block: np.ndarray, u: np.ndarray, weight: float, mass: float) -> None:
    """Add particles' moments to those of their blocks."""
    u = u.astype(float)
    square = np.square(u).sum(0)
    energy = mass * square / (1 + np.sqrt(1 + square))
    for k, values in enumerate([np.ones_like(square), *u, *np.square(u), energy]):
        sums[:, k] += np.bincount(block, weight * values, len(sums))


@kernel
def gather(some, cells, weight, mass, sums):
    """Add the moments of a species' particles to those of their blocks, [blocks, 8]."""
    pool, lane = some.pool, lanes(some.pool)
    for cell in range(cells):
        number = some.count[cell]
        if number == 0:
            continue
        block = cell // lists.BLOCK
        row = some.base[block] + (cell - block * lists.BLOCK) * some.width[block]
        a = b = c = aa = bb = cc = energy = 0.0
        for i in range(number):
            p = cpu.slot(some, row, i)
            x, y, z = (
                np.float64(pool[p + lane]),
                np.float64(pool[p + 2 * lane]),
                np.float64(pool[p + 3 * lane]),
            )
            square = x * x + y * y + z * z
            a, b, c = a + x, b + y, c + z
            aa, bb, cc = aa + x * x, bb + y * y, cc + z * z
            energy += square / (1.0 + np.sqrt(1.0 + square))
        sums[cell // CELLS, 0] += weight * number
        for k, value in enumerate((a, b, c, aa, bb, cc, mass * energy)):
            sums[cell // CELLS, k + 1] += weight * value


@kernel
def take(some, cells, centre, square, outside, cell_of, values):
    """Remove the particles whose distance squared is above (or, not `outside`, below) `square`.

    Their cells and [offset, momenta] go to the arrays given; returns how many. Blocks without a Gaussian keep
    what they hold.
    """
    pool, lane, taken = some.pool, lanes(some.pool), 0
    for cell in range(cells):
        was, at = some.count[cell], cell // CELLS
        if was == 0 or centre[3, at] < 0.0:
            continue
        block = cell // lists.BLOCK
        row = some.base[block] + (cell - block * lists.BLOCK) * some.width[block]
        size = was
        for i in range(was - 1, -1, -1):
            p = cpu.slot(some, row, i)
            far = 0.0
            for k in range(3):
                far += (pool[p + (k + 1) * lane] - centre[k, at]) ** 2 * centre[3 + k, at]
            if (far > square) != outside:
                continue
            cell_of[taken] = cell
            for k in range(4):
                values[k, taken] = pool[p + k * lane]
            taken += 1
            size -= 1
            cpu.copy(pool, cpu.slot(some, row, size), p)
        if size < was:
            some.count[cell] = size
            cpu.release(some, block, row, size, was)
    if taken > 0:
        cpu.balance(some)
    return taken
