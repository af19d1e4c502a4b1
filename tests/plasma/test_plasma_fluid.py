"""The ion and electron fluid alone: what theory knows of it, and what it must conserve."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineshaft.plasma import theory
from lineshaft.plasma.fluid import step
from lineshaft.plasma.fluid.fluid import Fluid
from lineshaft.plasma.pic.lists import Particles

CELLS, HEAT = 400, 1e-4
DX = 1.0 / CELLS
NOWHERE = np.zeros((5, CELLS + 1))


def gas(density: np.ndarray, drift: np.ndarray | float = 0.0) -> Fluid:
    """A gas with its end nodes halved, as walls want them."""
    held = density.copy()
    held[[0, -1]] /= 2
    along = np.broadcast_to(np.asarray(drift, float), held.shape)
    return Fluid.of("gas", 1.0, 1.0, held, HEAT, np.stack([along, 0 * along, 0 * along]))


def moved(fluid: Fluid, steps: int, current: np.ndarray | None = None) -> None:
    current = np.zeros((3, CELLS + 3)) if current is None else current
    for _ in range(steps):
        fluid.move(NOWHERE, current, DX, CELLS)


def test_a_sound_wave_between_walls_has_the_speed_of_a_gas_that_moves_in_one_dimension():
    x = np.arange(CELLS + 1) * DX
    fluid, seen = gas(np.ones(CELLS + 1), 1e-4 * np.sin(np.pi * x)), []
    for _ in range(1500):
        seen.append(float(fluid.content[1] @ np.sin(np.pi * x)))
        moved(fluid, 20)
    measured = theory.frequency(np.arange(1500) * 20 * DX, np.array(seen))
    assert measured == pytest.approx(np.pi * np.sqrt(3 * HEAT), rel=3e-3)


def test_a_gas_expands_into_vacuum_as_theory_says_and_no_density_is_negative():
    """n = (1 - x / ct) / 2 between -ct and ct, c^2 = 3 T: the rarefaction of a gas with gamma = 3."""
    x = np.arange(CELLS + 1) * DX
    fluid = gas((x < 0.5).astype(float))
    mass, energy = fluid.content[0].sum(), fluid.content[4].sum()
    for _ in range(30):
        moved(fluid, 200)
        assert fluid.content[0].min() >= 0
    reach = np.sqrt(3 * HEAT) * 6000 * DX
    expected = np.clip((1 - (x - 0.5) / reach) / 2, 0, 1)
    assert np.abs(fluid.content[0] - expected)[1:].mean() < 0.015
    assert fluid.content[0].sum() == pytest.approx(mass, rel=1e-12)
    assert fluid.content[4].sum() == pytest.approx(energy, rel=1e-12)
    assert fluid.invented(DX) < 1e-12


@settings(max_examples=20, deadline=None)
@given(
    density=st.lists(st.floats(0, 50), min_size=CELLS + 1, max_size=CELLS + 1),
    drift=st.lists(st.floats(-20, 20), min_size=CELLS + 1, max_size=CELLS + 1),
    every=st.sampled_from([1, 5]),
)
def test_any_gas_keeps_mass_and_stays_positive(density, drift, every):
    """Vacuum beside plasma, drifts near the speed of light, five steps at once: nothing goes below zero."""
    fluid = gas(np.array(density), np.array(drift))
    fluid.every = every
    before, current = fluid.density().sum(), np.zeros((3, CELLS + 3))
    for _ in range(7):
        moved(fluid, 1, current)
        assert fluid.content[0].min() >= 0
        assert fluid.density().sum() == pytest.approx(before, rel=1e-12, abs=1e-12)
    assert np.isfinite(fluid.content).all()


@pytest.mark.parametrize("every", [1, 5])
def test_the_current_is_what_carries_the_charge(every):
    """After every single step, though the fluid takes five at once."""
    rng = np.random.default_rng(0)
    fluid = gas(rng.random(CELLS + 1), rng.normal(size=CELLS + 1))
    fluid.every = every
    for _ in range(8):
        before, current = fluid.density(), np.zeros((3, CELLS + 3))
        moved(fluid, 1, current)
        flow = current[0, 1 : CELLS + 1]
        change = np.diff(flow, prepend=0, append=0)
        np.testing.assert_allclose(fluid.density(), before - change, atol=1e-13)


def test_the_limiter_scales_only_what_would_empty_a_node():
    content, flux = step.padded(6, 5), step.padded(6, 5)
    content[0, :5] = [1.0, 0.1, 1.0, 1.0, 1.0]
    flux[0, :4] = [-0.2, 0.3, 0.05, -0.05]
    flux[1, :4] = 1.0
    step.limit(content, flux, 0, 4, 1)
    np.testing.assert_allclose(flux[0, :4], [-0.2 * 0.18, 0.3 * 0.18, 0.05, -0.05])
    np.testing.assert_allclose(flux[1, :4], [0.18, 0.18, 1.0, 1.0])


def test_ex_does_the_work_that_the_field_loses():
    """A uniform current in a field, next to the ends: dW gives exactly J (E + E') / 2 dt for gamma near 1."""
    fluid, current = gas(np.ones(CELLS + 1), 1e-3), np.zeros((3, CELLS + 3))
    moved(fluid, 1, current)
    along, before = np.full(CELLS, 0.3), fluid.energy(DX)
    fluid.work(along, current, DX)
    after = along - DX * current[0, 1 : CELLS + 1]
    lost = DX * 0.5 * (np.square(along) - np.square(after)).sum()
    assert fluid.energy(DX) - before == pytest.approx(lost, rel=2e-3)


def test_a_cold_node_cuts_its_drift_and_keeps_its_energy():
    fluid = gas(np.ones(CELLS + 1), 0.1)
    fluid.content[4] = fluid.content[0] * 0.005  # less than the drift alone has
    step.kick(fluid.store, fluid.state, fluid.fields, 0, CELLS, 0.0, fluid.floor, fluid.made)
    np.testing.assert_allclose(fluid.content[4], fluid.content[0] * 0.005)
    assert (fluid.content[1] / fluid.content[0] < 0.0708).all()
    assert fluid.invented(DX) == 0


def some_particles(n: int, cells: int) -> Particles:
    rng = np.random.default_rng(1)
    count = np.bincount(rng.integers(0, cells, n), minlength=cells)
    return Particles(count, rng.random(n), rng.normal(size=(3, n)) * 0.2 + 0.1)


def test_particles_join_with_every_moment_and_the_charge_on_every_node():
    fluid, some = gas(np.ones(CELLS + 1), 0.05), some_particles(500, CELLS)
    before = totals(fluid)
    fluid.take(some, 0.01)
    u, cell = some.momentum, some.cell
    added = [500, *u.sum(1), np.square(u[0]).sum(), np.square(u[1:]).sum()]
    np.testing.assert_allclose(totals(fluid) - before, 0.01 * np.array(added), rtol=1e-9)
    nodes = np.bincount(cell, 1 - some.offset, CELLS + 1) + np.bincount(cell + 1, some.offset, CELLS + 1)
    plain = gas(np.ones(CELLS + 1)).content[0]
    np.testing.assert_allclose(fluid.content[0] - plain, 0.01 * nodes, atol=1e-12)


def totals(fluid: Fluid) -> np.ndarray:
    """Mass, momenta, and the sums of u_x^2 and of u_y^2 + u_z^2."""
    n, mx, my, mz, along, across = fluid.content
    beside = 2 * across + (my**2 + mz**2) / np.maximum(n, 1e-300)
    return np.array([n.sum(), mx.sum(), my.sum(), mz.sum(), along.sum(), beside.sum()])


def test_its_points_have_its_moments():
    fluid = gas(np.linspace(0.5, 2, CELLS + 1), 0.05)
    fluid.take(some_particles(500, CELLS), 0.01)
    node, u, content = fluid.points()
    assert np.bincount(node, content, CELLS + 1) == pytest.approx(fluid.content[0])
    sums = [content.sum(), *(u @ content), u[0] ** 2 @ content, (u[1] ** 2 + u[2] ** 2) @ content]
    np.testing.assert_allclose(sums, totals(fluid), rtol=1e-9)
