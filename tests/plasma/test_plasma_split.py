"""The split into thermal and non-thermal: calibrated on Gaussians, and it finds what was planted."""

import numpy as np
import pytest

from lineshaft.plasma import split
from lineshaft.plasma.pic.lists import Particles


def gaussian(cells: int, ppc: int, drift_a_cell: float = 0.0) -> Particles:
    rng, n = np.random.default_rng(5), cells * ppc
    momentum = rng.normal(size=(3, n)) * 0.1
    momentum[0] += np.repeat(np.arange(cells) // split.BLOCK_CELLS, ppc) * drift_a_cell
    return Particles(np.full(cells, ppc), rng.random(n), momentum)


def test_false_alarms_on_gaussians_are_as_expected():
    outlying = split.nonthermal(gaussian(2000, 200, drift_a_cell=0.3))
    expected = split.FALSE_ALARMS * outlying.size
    assert expected == pytest.approx(62, rel=0.05)
    assert abs(outlying.sum() - expected) < 4 * np.sqrt(expected)


def test_a_planted_beam_is_found_with_its_energy():
    particles = gaussian(400, 100)
    beam = np.random.default_rng(1).choice(particles.offset.size, 80, replace=False)
    particles.momentum[0, beam] += 5.0
    outlying = split.nonthermal(particles)
    assert outlying[beam].all() and outlying.sum() < 80 + 25
    fraction, share = split.shares(outlying, split.energies(particles, 1.0))
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


def test_energy_of_slow_and_fast():
    momentum = np.array([[1e-4, 1e3], [0, 0], [0, 0]])
    energy = split.energies(Particles(np.array([2]), np.zeros(2), momentum), 2.0)
    assert energy == pytest.approx([1e-8, 2 * (np.sqrt(1 + 1e6) - 1)], rel=1e-6)
