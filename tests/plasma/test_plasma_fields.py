"""Vacuum is exact; energy that enters, leaves; light slows down in plasma as theory says."""

import numpy as np
import pytest

from lineshaft.plasma.pic import fields
from lineshaft.plasma.pic.laser import Pulse
from lineshaft.plasma.pic.simulation import Simulation

PULSE = Pulse(a0=2.0, ramp=5.0, duration=20.0)


def test_laser_crosses_vacuum_unchanged_to_the_last_bit():
    simulation = Simulation(500, 0.05, [], (PULSE,))
    simulation.run(450)
    arrival = (450 - np.arange(501)) * 0.05
    expected = np.where(arrival > 0, PULSE.entering(np.maximum(arrival, 0))[0], 0)
    assert np.abs(simulation.fields.right_y - expected).max() < 1e-12
    assert np.abs(simulation.fields.right_y).max() > 3.9
    assert not simulation.fields.left_y.any()


def test_open_ends_reflect_nothing_and_the_flux_is_accounted_for():
    simulation = Simulation(200, 0.05, [], (PULSE,))
    simulation.run(700)
    entered, left = simulation.fields.flux
    assert fields.energy(simulation.fields, 0.05, periodic=False) == 0
    assert entered > 10 and left == pytest.approx(entered, rel=1e-12)
    ramps = 2 * np.pi**2 / 8 / 5  # the slope of the envelope is part of E
    assert entered == pytest.approx(2.0**2 / 2 * (20 - 5 * 2 * 5 / 8 + ramps), rel=0.005)


def test_envelope_is_bounded_by_its_duration():
    time = np.array([-1.0, 0.0, 2.5, 5.0, 10.0, 20.0, 21.0])
    assert np.allclose(PULSE.envelope(time), [0, 0, 0.5, 1, 1, 0, 0])


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_pulse_has_no_net_area_and_enters_from_either_side(side):
    """Its electric field integrates to zero in both polarisations, however short the ramp."""
    pulse = Pulse(a0=1.0, ramp=5.0, duration=20.0, side=side, angle=0.3, ellipticity=0.5)
    simulation = Simulation(600, 0.05, [], (pulse,))
    simulation.run(500)
    fields = simulation.fields
    going, other = (fields.right_y, fields.left_y) if side == "left" else (fields.left_y, fields.right_y)
    assert abs(going.sum() * 0.05) < 1e-3 * np.abs(going).sum() * 0.05 and not other.any()
    across = fields.right_z if side == "left" else fields.left_z
    assert abs(across.sum() * 0.05) < 1e-3 * np.abs(across).sum() * 0.05
    assert np.abs(across).max() > 0.1


def test_circular_light_has_the_energy_of_linear_light_and_no_beat():
    pulses = [Pulse(2.0, 5.0, 60.0, ellipticity=e) for e in (0.0, 1.0)]
    time = np.arange(0, 60, 0.01)
    linear, circular = (np.square(pulse.entering(time)).sum(0) for pulse in pulses)
    assert linear.sum() == pytest.approx(circular.sum(), rel=0.01)
    middle = circular[(time > 10) & (time < 50)]
    assert np.ptp(middle) < 1e-9 * middle.mean()


@pytest.mark.parametrize(
    "wrong", [{"a0": np.inf}, {"a0": np.nan}, {"side": "top"}, {"ramp": 0.0}, {"ellipticity": 2.0}]
)
def test_impossible_pulses_are_refused(wrong):
    with pytest.raises(ValueError, match="a pulse"):
        Pulse(**{"a0": 1.0, "ramp": 5.0, "duration": 20.0, **wrong})
