"""A hybrid that goes on from a running all-particle simulation: the common restart of the ladder.

What becomes fluid is added node by node with linear weights, so every moment and the charge are those of the
particles, and the fields go on as they were.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from lineshaft.plasma import split
from lineshaft.plasma.fluid.fluid import MOMENTS, STIFF, Fluid
from lineshaft.plasma.gather import gathered
from lineshaft.plasma.hybrid.exchange import Exchange
from lineshaft.plasma.hybrid.hybrid import Hybrid
from lineshaft.plasma.hybrid.window import WIDE, Window, front
from lineshaft.plasma.pic import fields, lists
from lineshaft.plasma.pic.lists import Particles
from lineshaft.plasma.pic.simulation import Simulation
from lineshaft.plasma.pic.species import Species, kept


def copied(one: Species, chosen: np.ndarray | None = None) -> Species:
    """The species, or the chosen ones of its particles, in lists of their own."""
    held = one.listed()
    some = held if chosen is None else kept(held, chosen)
    return replace(one, lists=lists.build(some), lost=one.lost.copy())


def thermal(simulation: Simulation, name: str) -> np.ndarray:
    """Which particles of a species (of one weight) their block's Gaussian explains."""
    return ~split.nonthermal(gathered(simulation, name))


def edge_of(simulation: Simulation, lead: int, speed: float = 0.02) -> int:
    """Where a window's edge would be: `lead` cells ahead of the fast ions."""
    ions = [one for one in simulation.species if one.charge > 0]
    ahead = max(front(one.lists, one.cells, speed, 20) for one in ions)
    held = np.flatnonzero(sum(simulation.density(one.name) for one in ions) > 0)
    edge = max(ahead, int(held[0])) + lead
    return min(-(-edge // WIDE) * WIDE, int(held[-1]) - 10)


def fluid_of(one: Species, chosen: np.ndarray, first: int, heat: float) -> Fluid:
    """The chosen particles as a fluid from the node `first` on."""
    found = Fluid(
        one.name, one.charge, one.mass, np.zeros((MOMENTS, one.cells + 1)), first, one.cells, STIFF * heat
    )
    found.take(kept(one.particles(), chosen), one.weight)
    return found


def adopted(
    given: Simulation,
    parts: Mapping[str, tuple[list[Species], Fluid | None]],
    window: Window,
    seed: int = 0,
    exchanges: list[Exchange] | None = None,
) -> Hybrid:
    """The given simulation with its species replaced; Ex follows what other clouds do to the charge."""
    species = [one for found, _ in parts.values() for one in found]
    fluids = [fluid for _, fluid in parts.values() if fluid is not None]
    found = Hybrid(
        given.cells,
        given.dx,
        species,
        fluids,
        window,
        seed,
        exchanges or [],
        pulses=given.pulses,
        walls=given.walls,
        background=given.background,
        light_cone=given.light_cone,
    )
    found.steps, found.real, found.peak = given.steps, given.real, given.peak
    for mine, theirs in zip(found.fields, given.fields):
        mine[:] = theirs
    changed = found.charge_density() - given.charge_density()
    found.fields.along[:] += given.dx * np.cumsum(changed)[:-1]
    fields.refresh(found.fields, False, found.fields.along.size)
    return found


def widened(one: Species, chosen: np.ndarray, wide: int) -> Species:
    """The chosen particles on cells `wide` times as wide."""
    held = one.particles()
    place = (held.cell[chosen] + held.offset[chosen].astype(float)) / wide
    cell = place.astype(np.int64)
    order = np.argsort(cell, kind="stable")
    real = held.offset.dtype
    offset = np.minimum((place - cell)[order].astype(real), np.nextafter(real.type(1), real.type(0)))
    particles = Particles(
        np.bincount(cell, minlength=one.cells // wide), offset, held.momentum[:, chosen][:, order]
    )
    return Species.of(one.name, one.charge, one.mass, one.weight / wide, particles, coarse=wide)


def shuffled(one: Species, rng: np.random.Generator) -> Species:
    """The same particles with their momenta exchanged at random within each cell."""
    held = one.listed()
    order = np.lexsort((rng.random(held.offset.size), held.cell))
    mixed = Particles(held.count, held.offset, np.ascontiguousarray(held.momentum[:, order]))
    return replace(one, lists=lists.build(mixed), lost=one.lost.copy())
