"""The split into thermal and non-thermal: calibrated on Gaussians, and it finds what was planted."""

import numpy as np
import pytest

from lineshaft.plasma import split
from lineshaft.plasma.gather import Gathered


def gaussian(cells: int, ppc: int, drift_a_cell: float = 0.0) -> Gathered:
    rng, n = np.random.default_rng(5), cells * ppc
    momentum = rng.normal(size=(3, n)) * 0.1
    cell = np.repeat(np.arange(cells), ppc)
    momentum[0] += cell // split.BLOCK_CELLS * drift_a_cell
    return some(cell, momentum)


def some(cell: np.ndarray, momentum: np.ndarray, mass: float = 1.0) -> Gathered:
    square = np.square(momentum).sum(0)
    energy = mass * square / (1 + np.sqrt(1 + square))
    return Gathered(cell, cell + 0.5, momentum, energy, np.ones(cell.size), float(cell.max(initial=0)))


def test_a_split_that_remembers_does_not_swap_when_the_beam_outnumbers_the_bulk():
    """Beam and bulk exchange their numbers: a fresh split swaps the roles, one with a memory does not."""
    rng = np.random.default_rng(0)
    cell, beam = np.zeros(400, np.int64), np.arange(400) < 260
    momentum = rng.normal(size=(3, 400)) * 0.01
    momentum[0, beam] += 1.0
    before = beam.copy()
    assert np.array_equal(split.nonthermal(some(cell, momentum), before), beam)
    momentum[0, :5] -= 1.0  # five of the beam come to rest in the bulk, within three sigma, and rejoin it
    momentum[:, :5] *= 0.1
    assert not split.nonthermal(some(cell, momentum), before)[:5].any()


def test_false_alarms_on_gaussians_are_as_expected():
    outlying = split.nonthermal(gaussian(2000, 200, drift_a_cell=0.3))
    expected = split.FALSE_ALARMS * outlying.size
    assert expected == pytest.approx(62, rel=0.05)
    assert abs(outlying.sum() - expected) < 4 * np.sqrt(expected)


def test_a_planted_beam_is_found_with_its_energy():
    particles = gaussian(400, 100)
    beam = np.random.default_rng(1).choice(particles.cell.size, 80, replace=False)
    particles.momentum[0, beam] += 5.0
    outlying = split.nonthermal(particles)
    assert outlying[beam].all() and outlying.sum() < 80 + 25
    fraction, share = split.shares(some(particles.cell, particles.momentum), outlying)
    assert fraction == pytest.approx(0.002, rel=0.3) and 0.2 < share < 0.5


def test_sparse_blocks_have_no_outliers():
    particles = gaussian(40, 1)
    particles.momentum[0, 3] = 100.0
    assert not split.nonthermal(particles).any()


@pytest.mark.parametrize(("cells", "found"), [(7, 0), (8, 1)])
def test_a_block_needs_eight_particles_to_have_an_outlier(cells, found):
    """One that is far out on all three axes stands sqrt(3 (N - 1)) sigma from the mean."""
    particles = gaussian(cells, 1)
    particles.momentum[:, 3] = 100.0
    assert split.nonthermal(particles).sum() == found
