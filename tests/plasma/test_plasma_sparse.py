"""Tiles and coarse cells: the same plasma in other lists, and clouds wider than a cell."""

import numpy as np
import pytest

from lineshaft.plasma.pic import diagnostics
from lineshaft.plasma.pic.lists import Particles
from lineshaft.plasma.pic.simulation import Simulation
from lineshaft.plasma.pic.species import Species, tiled, untiled
from lineshaft.plasma.pic.walls import OPEN, Wall

CELLS, DX = 160, 0.05
TILES = [(2, np.float64), (8, np.float64), (2, np.float32), (8, np.float32), (16, np.float32)]
"""A tile has at most as many cells as a vector has lanes: 8 in float64, 16 in float32."""


def some(ppc: int, spread: float, real: type, seed: int, cells: int = CELLS) -> Particles:
    rng = np.random.default_rng(seed)
    n = int(ppc * cells)
    count = np.bincount(rng.integers(0, cells, n), minlength=cells)
    offset = (rng.random(n) * 0.999).astype(real)
    return Particles(count, offset, (rng.normal(size=(3, n)) * spread).astype(real))


def plasma(tile: int, real: type, walls: tuple[Wall, Wall] | None, ppc: int = 3) -> Simulation:
    """Relativistic electrons among ions with as many particles, and a hidden remainder of charge."""
    species = [
        Species.of("electrons", -1.0, 1.0, 1 / ppc, some(ppc, 0.6, real, 1), tile=tile),
        Species.of("ions", 1.0, 50.0, 1 / ppc, some(ppc, 0.05, real, 2), tile=tile),
    ]
    return Simulation(CELLS, DX, species, walls=walls)


@pytest.mark.parametrize("walls", [None, OPEN, (Wall("reflecting"), Wall("reflecting"))])
@pytest.mark.parametrize(("tile", "real"), TILES)
def test_tiles_compute_what_cells_do(tile, walls, real):
    tolerance = 1e-11 if real is np.float64 else 1e-4
    plain, sparse = plasma(1, real, walls), plasma(tile, real, walls)
    for simulation in (plain, sparse):
        simulation.run(120)
    scale = np.abs(plain.fields.nodes).max()
    np.testing.assert_allclose(sparse.fields.nodes, plain.fields.nodes, atol=tolerance * scale)
    assert sparse.count() == plain.count()
    for name in plain.groups():
        assert diagnostics.kinetic(sparse, name) == pytest.approx(diagnostics.kinetic(plain, name), rel=1e-4)
        np.testing.assert_allclose(sparse.density(name).sum(), plain.density(name).sum())
    assert diagnostics.gauss_residual(sparse) < (1e-12 if real is np.float64 else 1e-4)


def test_a_tile_holds_the_particles_of_its_cells():
    held = some(3, 0.1, np.float64, 0)
    back = untiled(tiled(held, 16), 16)
    assert np.array_equal(back.count, held.count)
    order = np.lexsort((held.offset, held.cell))
    again = np.lexsort((back.offset, back.cell))
    np.testing.assert_allclose(back.offset[again], held.offset[order], atol=1e-14)
    np.testing.assert_allclose(back.momentum[:, again], held.momentum[:, order])


def test_a_tiled_simulation_goes_on_as_if_it_had_not_been_saved():
    whole, first, second = (plasma(16, np.float32, OPEN) for _ in range(3))
    whole.run(80)
    first.run(40)
    second.restore(first.state())
    second.run(40)
    assert np.array_equal(whole.fields.nodes, second.fields.nodes)


@pytest.mark.parametrize("tile", [1, 8])
def test_inserted_particles_are_there_and_the_lists_grow(tile):
    one = Species.of("some", -1.0, 1.0, 0.1, some(2, 0.1, np.float64, 0), tile=tile)
    rng, before = np.random.default_rng(5), one.number
    for number in (3, 500, 4000):
        cell = np.sort(rng.integers(0, CELLS, number))
        one.insert(cell, rng.random(number), np.full((3, number), 0.25))
        before += number
        assert one.number == before
    held = one.particles()
    assert (held.momentum == 0.25).all(0).sum() == 4503
    assert one.particles().count.sum() == before


def coarse(wide: int) -> Simulation:
    """Fine ions and electrons on wide cells that leave through both ends."""
    hot = some(8, 0.8, np.float64, 1, CELLS // wide)
    species = [
        Species.of("electrons", -1.0, 1.0, 1 / 8, hot, coarse=wide),
        Species.of("ions", 1.0, 50.0, 1 / 8, some(8, 0.01, np.float64, 2)),
    ]
    return Simulation(CELLS, DX, species)


@pytest.mark.parametrize("wide", [2, 4, 5])
def test_coarse_clouds_keep_gauss_also_where_they_leave_the_box(wide):
    simulation = coarse(wide)
    assert simulation.density("electrons").mean() == pytest.approx(1.0)
    before = simulation.species[0].number
    simulation.run(200)
    assert simulation.species[0].number < before
    assert diagnostics.gauss_residual(simulation) < 1e-12


def test_coarse_electrons_oscillate_at_the_plasma_frequency():
    """A kick of one wavelength a box, between open walls: the field turns round after half a period."""
    wide, ppc = 4, 16
    cells = CELLS // wide
    count = np.full(cells, ppc, np.int64)
    offset = np.tile((np.arange(ppc) + 0.5) / ppc, cells)
    place = (np.repeat(np.arange(cells), ppc) + offset) / cells
    u = np.zeros((3, offset.size))
    u[0] = 1e-3 * np.sin(4 * np.pi * place)
    electrons = Species.of("electrons", -1.0, 1.0, 1 / ppc, Particles(count, offset, u), coarse=wide)
    alone = Simulation(CELLS, DX, [electrons])
    simulation = Simulation(CELLS, DX, [electrons], background=-alone.charge_density())
    sine = np.sin(4 * np.pi * (np.arange(CELLS) + 0.5) / CELLS)
    seen = []
    for _ in range(round(2 * np.pi / DX)):
        simulation.run(1)
        seen.append(float(simulation.fields.along @ sine))
    turns = np.flatnonzero(np.diff(np.sign(seen)))
    assert turns[0] * DX == pytest.approx(np.pi, rel=0.02)
