"""How a case is solved: all particles, or a hybrid. One of your own is a `Part` with `build`."""

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from lineshaft.engine import Part
from lineshaft.plasma.box import Box
from lineshaft.plasma.fluid.fluid import Fluid
from lineshaft.plasma.hybrid.build import Shares, heavy, neutralise, widest
from lineshaft.plasma.hybrid.exchange import Exchange
from lineshaft.plasma.hybrid.hybrid import Hybrid
from lineshaft.plasma.hybrid.window import Window
from lineshaft.plasma.pic.kernels.tiles import WIDEST
from lineshaft.plasma.pic.simulation import Simulation
from lineshaft.plasma.pic.species import Species


class Solver(Part):
    """Base of all solvers."""

    def build(
        self, box: Box, ppc: int, real: type, seed: int, quiet: bool = False, light_cone: bool = False
    ) -> Simulation:
        """The case at its start."""
        raise NotImplementedError


class Particles(Solver):
    """All plasma is particles: nothing but the grid and their number is approximated."""

    name: Literal["particles"] = "particles"

    def build(
        self, box: Box, ppc: int, real: type, seed: int, quiet: bool = False, light_cone: bool = False
    ) -> Simulation:
        return box.build(ppc, real, seed, quiet, light_cone)


class HybridA(Solver):
    """Form A: ions beyond a moving kinetic window are a fluid, electrons there are coarse particles.

    `ppc` of the run is that of the window. Always starts quietly; nothing beyond the light cone moves.
    """

    name: Literal["hybrid-a"] = "hybrid-a"
    window: float = Field(5.0, gt=0, description="depth of the kinetic window at the start (c/omega0)")
    lead: float = Field(8.0, gt=0, description="how far the window stays ahead of fast ions (c/omega0)")
    speed: float = Field(0.02, gt=0, lt=1, description="an ion is fast above this u_x (c)")
    fine: float = Field(10.0, ge=0, description="depth to which electrons are not coarse (c/omega0)")
    coarse_ppc: int = Field(16, ge=1, description="coarse electrons for each cell of the box")
    coarse: int = Field(4, ge=1, le=16, description="width of the coarse electrons' cells, in cells")
    every: int = Field(5, ge=1, le=20, description="steps that the ion fluid takes at once")
    coupling: bool = Field(True, description="let the window move; without, fluid stays fluid")

    def build(
        self, box: Box, ppc: int, real: type, seed: int, quiet: bool = False, light_cone: bool = False
    ) -> Simulation:
        ions, shares = heavy(box), Shares(box, ppc, real, seed)
        first, last = shares.extent()
        edge = min(first + round(self.window / box.dx), last)
        wide = widest(box.cells, self.coarse)
        fine = -(-(first + round(self.fine / box.dx)) // wide) * wide
        species = [part for one in ions for part in shares.particles(one, edge)]
        for one in box.plasma:
            if one not in ions:
                species += shares.particles(one, fine, WIDEST) + shares.coarse(
                    one, fine, self.coarse_ppc, wide
                )
        fluids = [shares.fluid(one, edge) for one in ions]
        neutralise(fluids, species, shares.intended())
        for fluid in fluids:
            fluid.every = self.every
        window = Window(edge, last - 10 if self.coupling else edge, round(self.lead / box.dx), self.speed)
        return joined(box, species, fluids, window, seed)


class HybridB(Solver):
    """Form B: behind the window's edge electrons and ions are fluids, with a tail of particles in both.

    The fluids emit particles into the window and absorb what is thermal behind its edge.
    """

    name: Literal["hybrid-b"] = "hybrid-b"
    window: float = Field(5.0, gt=0, description="depth of the kinetic window at the start (c/omega0)")
    lead: float = Field(20.0, gt=0, description="how far the window stays ahead of fast ions (c/omega0)")
    speed: float = Field(0.02, gt=0, lt=1, description="an ion is fast above this u_x (c)")
    radius: float = Field(3.5, gt=0, description="a particle within this many sigma joins the fluid")
    hottest: float = Field(0.1, gt=0, description="the local Gaussian counts as no hotter than this (m c^2)")
    every: int = Field(5, ge=1, le=20, description="steps that the ion fluid takes at once")
    coupling: bool = Field(True, description="exchange, and let the window move; without, fluid stays fluid")

    def build(
        self, box: Box, ppc: int, real: type, seed: int, quiet: bool = False, light_cone: bool = False
    ) -> Simulation:
        ions, shares = heavy(box), Shares(box, ppc, real, seed)
        first, last = shares.extent()
        edge = min(first + round(self.window / box.dx), last)
        species, fluids, exchanges = [], [], []
        for k, one in enumerate(box.plasma):
            parts, fluid = shares.particles(one, edge, 1 if one in ions else WIDEST), shares.fluid(one, edge)
            fluid.every, fluid.walls = self.every if one in ions else 1, (False, True)
            fluid.last = last
            noise = np.random.default_rng([seed, k, 7]).integers(0, 2**63, 1, np.uint64)
            exchanges.append(Exchange(fluid, parts[0], noise, self.radius, self.hottest / one.mass))
            species += parts
            fluids.append(fluid)
        window = Window(edge, last - 10 if self.coupling else edge, round(self.lead / box.dx), self.speed)
        return joined(box, species, fluids, window, seed, exchanges if self.coupling else [])


class Weighted(Solver):
    """Particles of two weights: the run's `ppc` to a depth, heavier ones beyond; starts quietly."""

    name: Literal["weighted"] = "weighted"
    depth: float = Field(20.0, gt=0, description="depth to which particles are light (c/omega0)")
    deep_ppc: int = Field(15, ge=1, description="particles a cell beyond")

    def build(
        self, box: Box, ppc: int, real: type, seed: int, quiet: bool = False, light_cone: bool = False
    ) -> Simulation:
        shares = Shares(box, ppc, real, seed)
        edge = shares.extent()[0] + round(self.depth / box.dx)
        species = [
            part
            for one in box.plasma
            for part in (*shares.particles(one, edge), *shares.coarse(one, edge, self.deep_ppc, 1))
        ]
        return joined(box, species, [], Window(edge, edge, 0), seed, late=light_cone)


class Fluids(Solver):
    """All plasma is fluid, by the hybrids' equations; no particle anywhere."""

    name: Literal["fluid"] = "fluid"

    def build(
        self, box: Box, ppc: int, real: type, seed: int, quiet: bool = False, light_cone: bool = False
    ) -> Simulation:
        heavy(box)
        shares = Shares(box, ppc, real, seed)
        fluids = [shares.fluid(one, 0) for one in box.plasma]
        return joined(box, [], fluids, Window(0, 0, 0), seed, late=box.at_rest)


def joined(
    box: Box,
    species: list[Species],
    fluids: list[Fluid],
    window: Window,
    seed: int,
    exchanges: Sequence[Exchange] = (),
    late: bool | None = None,
) -> Hybrid:
    """The parts in one box with its light, walls and fields; `late` keeps still what is not reached."""
    found = Hybrid(
        box.cells,
        box.dx,
        species,
        fluids,
        window,
        seed,
        exchanges,
        pulses=box.pulses,
        walls=box.walls,
        light_cone=box.at_rest if late is None else late,
    )
    box.set_fields(found)
    return found


AnySolver = Annotated[Particles | HybridA | HybridB | Weighted | Fluids, Field(discriminator="name")]
