"""Vacuum is exact; energy that enters, leaves; light slows down in plasma as theory says."""

import numpy as np
import pytest

from lineshaft.plasma.pic import fields
from lineshaft.plasma.pic.laser import Pulse
from lineshaft.plasma.pic.simulation import Simulation

PULSE = Pulse(a0=2.0, ramp=5.0, duration=20.0)


def test_laser_crosses_vacuum_unchanged_to_the_last_bit():
    simulation = Simulation(500, 0.05, [], PULSE)
    simulation.run(450)
    arrival = (450 - np.arange(501)) * 0.05
    expected = np.where(arrival > 0, PULSE.entering(np.maximum(arrival, 0)), 0)
    assert np.abs(simulation.fields.right_y - expected).max() < 1e-12
    assert np.abs(simulation.fields.right_y).max() > 3.9
    assert not simulation.fields.left_y.any()


def test_open_ends_reflect_nothing_and_the_flux_is_accounted_for():
    simulation = Simulation(200, 0.05, [], PULSE)
    simulation.run(700)
    entered, left = simulation.fields.flux
    assert fields.energy(simulation.fields, 0.05, periodic=False) == 0
    assert entered > 10 and left == pytest.approx(entered, rel=1e-12)
    assert entered == pytest.approx(2.0**2 / 2 * (20 - 5 * 2 * 5 / 8), rel=0.02)


def test_envelope_is_bounded_by_its_duration():
    time = np.array([-1.0, 0.0, 2.5, 5.0, 10.0, 20.0, 21.0])
    assert np.allclose(PULSE.envelope(time), [0, 0, 0.5, 1, 1, 0, 0])
