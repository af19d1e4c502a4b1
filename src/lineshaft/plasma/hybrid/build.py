"""What a case holds, divided among a kinetic window, fluids and coarse particles."""

from dataclasses import dataclass, replace

import numpy as np

from lineshaft.engine import RequestError
from lineshaft.plasma import momenta
from lineshaft.plasma.box import Box, Population
from lineshaft.plasma.fluid.fluid import Fluid
from lineshaft.plasma.hybrid.window import occupied
from lineshaft.plasma.pic import grids, lists
from lineshaft.plasma.pic.species import Species, kept
from lineshaft.plasma.profiles import Profile

TRACE = 1e-6


@dataclass(frozen=True)
class Shares:
    """A box whose parts are loaded as different things."""

    box: Box
    ppc: int
    real: type
    seed: int

    def centres(self) -> np.ndarray:
        return (np.arange(self.box.cells) + 0.5) * self.box.dx

    def extent(self) -> tuple[int, int]:
        """First cell with plasma and the cell behind the last."""
        return occupied([one.density(self.centres()) for one in self.box.plasma])

    def particles(self, one: Population, until: int, tile: int = 1) -> list[Species]:
        """A population's particles left of the cell `until`, evenly spaced; the heaviest class always.

        Lists hold up to `tile` cells, as many as divide the box.
        """
        found = self.box.load(one, self.ppc, self.real, self.seed, True)
        for species in found:
            species.tile = tile_of(self.box.cells, min(tile, lists.lanes_of(np.dtype(self.real))))
            held = species.listed()
            species.fill(kept(held, held.cell < until))
        return [found[0], *(species for species in found[1:] if species.number)]

    def coarse(self, one: Population, start: int, ppc: int, wide: int) -> list[Species]:
        """Its particles from the cell `start` on, `ppc` a cell, on cells `wide` times as wide."""
        box = self.box
        if wide == 1:
            found = box.load(one, ppc, self.real, self.seed, True)
        else:
            centres = np.arange(wide) * box.dx + (0.5 - wide / 2) * box.dx
            mean = Profile(lambda x: one.density((x[:, None] + centres).ravel()).reshape(-1, wide).mean(1))
            wider = replace(box, dx=box.dx * wide, initial={}, external={})
            found = wider.load(replace(one, density=mean), ppc * wide, self.real, self.seed, True)
        for species in found:
            species.coarse = wide
            held = species.listed()
            species.fill(kept(held, held.cell >= start // wide))
        return [species for species in found if species.number]

    def fluid(self, one: Population, first: int) -> Fluid:
        """The population from the node `first` on, at rest or drifting, at its temperature."""
        nodes = nodes_of(np.where(np.arange(self.box.cells) >= first, one.density(self.centres()), 0.0))
        heat = square_of(one.temperature / one.mass)
        drift = np.repeat(np.asarray(one.drift, float)[:, None], nodes.size, 1)
        if one.kick is not None:
            drift[0] += one.kick(np.arange(nodes.size) * self.box.dx)
        found = Fluid.of(one.name, one.charge, one.mass, nodes, heat, drift)
        found.first, found.last = first, self.box.cells
        found.floor = found.floor or square_of(1e-7 / one.mass)
        return found

    def intended(self) -> np.ndarray:
        """The charge that the case's densities have on the nodes."""
        return sum(
            (one.charge * nodes_of(one.density(self.centres())) for one in self.box.plasma),
            np.zeros(self.box.cells + 1),
        )


def widest(cells: int, most: int) -> int:
    """The largest number up to `most` that divides the cells."""
    return max(wide for wide in range(1, most + 1) if cells % wide == 0)


def tile_of(cells: int, most: int) -> int:
    """The largest power of 2 up to `most` that divides the cells: offsets in a tile then stay exact."""
    return max(2**k for k in range(most.bit_length()) if cells % 2**k == 0)


def nodes_of(cells: np.ndarray) -> np.ndarray:
    """Densities of cells on the nodes between them: half of each."""
    halves = np.zeros(cells.size + 1)
    halves[:-1] += cells / 2
    halves[1:] += cells / 2
    return halves


def square_of(heat: float) -> float:
    """<u^2> on one axis of a gas of temperature `heat` (m c^2), by the loader's distribution."""
    if heat <= 0:
        return 0.0
    cumulative, u = momenta.inverse(heat)
    return float((np.diff(cumulative) * (u[1:] ** 2 + u[:-1] ** 2) / 2).sum() / 3)


def neutralise(fluids: list[Fluid], species: list[Species], intended: np.ndarray) -> None:
    """Let the fluids make up for what the particles' clouds do to the charge of the case.

    Coarse clouds and rounded numbers of particles give a node a charge that the densities do not have: a
    field at the start. Each fluid takes its share of the difference, as far as it stays positive; a coarse
    cloud that reaches beyond the end of the plasma draws a little fluid there.
    """
    cells, reach = intended.size - 1, max((one.coarse for one in species), default=1) - 1
    for fluid in fluids:
        spill(fluid, reach)
    charge = sum(fluid.charge * fluid.content[0] for fluid in fluids) - intended
    for one in species:
        charge = charge + one.charge * one.weight * grids.shares(one, cells)
    total = sum(abs(fluid.charge) * fluid.content[0] for fluid in fluids)
    for fluid in fluids:
        n = fluid.content[0]
        part = np.divide(abs(fluid.charge) * n, total, out=np.zeros_like(n), where=n > 0)
        factor = 1 - np.divide(charge * part / fluid.charge, n, out=np.zeros_like(n), where=n > 0)
        fluid.content *= np.maximum(factor, 0.0)


def spill(fluid: Fluid, reach: int) -> None:
    """Put a trace of fluid on the empty nodes up to `reach` beyond those that hold any."""
    for _ in range(reach):
        held = fluid.content[0] > 0
        for shift in (1, -1):
            beside = np.roll(held, shift) & ~held
            beside[: fluid.first] = beside[0] = beside[-1] = False
            fluid.content[:, beside] = np.roll(fluid.content, shift, 1)[:, beside] * TRACE


def heavy(box: Box) -> list[Population]:
    """The ions: what is positive and much heavier than an electron."""
    found = [one for one in box.plasma if one.charge > 0 and one.mass >= 20]
    if not found:
        raise RequestError("a hybrid treats ions as a fluid, but this case has none (charge > 0, mass >= 20)")
    if box.walls is None:
        raise RequestError("a hybrid needs a box with walls: use solver=particles for a periodic one")
    return found
