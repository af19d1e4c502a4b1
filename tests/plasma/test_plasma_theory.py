"""Theory and the fits, on inputs with known answers."""

import numpy as np
import pytest

from lineshaft.plasma import theory


def test_slow_beams_grow_at_the_textbook_rate():
    k = theory.fastest_mode(1.0, 1e-3)
    assert theory.two_stream_growth(1.0, 1e-3, k) == pytest.approx(8**-0.5, rel=1e-5)


def test_fastest_mode_is_the_fastest():
    k = theory.fastest_mode(1.0, 0.3)
    best = theory.two_stream_growth(1.0, 0.3, k)
    assert all(theory.two_stream_growth(1.0, 0.3, k * f) < best for f in (0.9, 0.99, 1.01, 1.1))


def test_short_waves_are_stable():
    assert theory.two_stream_growth(1.0, 0.1, 20.0) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("omega", [0.5, 1.0, 1.7])
def test_frequency_of_a_sampled_cosine(omega):
    time = np.arange(1, 121) * 0.5
    assert theory.frequency(time, 0.3 + 2 * np.cos(omega * time + 1)) == pytest.approx(omega, rel=1e-6)


def test_growth_of_an_exponential_that_saturates():
    time = np.linspace(0, 60, 121)
    energy = 1 / (1 / 1e-9 * np.exp(-2 * 0.35 * time) + 1)
    assert theory.growth(time, energy) == pytest.approx(0.35, rel=0.01)


def test_mode_picks_the_first_sine():
    x = (np.arange(64) + 0.5) / 64
    rows = np.stack([3 * np.sin(2 * np.pi * x) + np.sin(4 * np.pi * x), np.cos(2 * np.pi * x)])
    assert np.allclose(theory.mode(rows), [3, 0])


@pytest.mark.parametrize("energy", [np.sin, np.ones_like, lambda t: np.exp(4 * t)])
def test_a_growth_that_was_not_seen_is_refused(energy):
    """Cut before the growing root leads by far, or before it saturates.

    What the fit finds is not its rate.
    """
    time = np.linspace(0.1, 5, 120)
    with pytest.raises(ValueError, match=r"case\.time"):
        theory.growth(time, energy(time) ** 2)
