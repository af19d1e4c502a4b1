"""The numba kernel against the PyTorch reference, and the properties both must have."""

import numpy as np
import pytest
import torch

from lineshaft.plasma.pic import lists
from lineshaft.plasma.pic.compile import use_threads
from lineshaft.plasma.pic.diagnostics import gauss_residual
from lineshaft.plasma.pic.kernels import reference
from lineshaft.plasma.pic.laser import Pulse
from lineshaft.plasma.pic.lists import Particles
from lineshaft.plasma.pic.simulation import Simulation
from lineshaft.plasma.pic.species import Species
from lineshaft.plasma.pic.walls import OPEN

CELLS, DX, PPC = 300, 0.05, 13
PULSE = Pulse(a0=3.0, ramp=2.0, duration=8.0)


def cloud(rng: np.random.Generator, spread: float, real: type, filled: slice) -> Particles:
    count = np.zeros(CELLS, np.int64)
    count[filled] = PPC
    n = int(count.sum())
    return Particles(
        count, (rng.random(n) * 0.99).astype(real), (rng.normal(size=(3, n)) * spread).astype(real)
    )


def warm_box(real: type, periodic: bool) -> Simulation:
    """Hot electrons and light ions, so that many cells are crossed; a laser where the box is open."""
    rng, filled = np.random.default_rng(3), slice(None) if periodic else slice(100, 250)
    electrons, ions = (cloud(rng, spread, real, filled) for spread in (0.5, 0.1))
    species = [
        Species.of("electrons", -1.0, 1.0, 5.0 / PPC, electrons),
        Species.of("ions", 1.0, 20.0, 5.0 / PPC, ions),
    ]
    return Simulation(CELLS, DX, species, () if periodic else (PULSE,), None if periodic else OPEN)


def mirrored(simulation: Simulation) -> tuple[list[reference.Cloud], reference.Waves]:
    """The same state for the reference, in float64."""
    clouds = []
    for one in simulation.species:
        particles = simulation.particles(one)
        offset, momentum = (torch.tensor(x, dtype=torch.float64) for x in particles[1:])
        cell = torch.tensor(particles.cell)
        clouds.append(reference.Cloud(cell, offset, momentum, one.charge, one.mass, one.weight))
    return clouds, reference.Waves(*(torch.tensor(x) for x in simulation.fields[:5]))


def sorted_particles(cell: np.ndarray, offset: np.ndarray, momentum: np.ndarray) -> np.ndarray:
    table = np.stack([cell + offset, *momentum])
    return table[:, np.argsort(table[0])]


@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize(("real", "tolerance"), [(np.float64, 1e-11), (np.float32, 3e-4)])
def test_kernel_agrees_with_reference(real, tolerance, periodic):
    simulation = warm_box(real, periodic)
    clouds, waves = mirrored(simulation)
    steps = 60
    entering = PULSE.entering((1 + np.arange(steps)) * DX)[0]
    simulation.run(steps)
    for value in entering:
        reference.step(clouds, waves, DX, float(value), periodic)
    for ours, theirs in zip(
        simulation.fields[:5], (waves.right_y, waves.left_y, waves.right_z, waves.left_z, waves.along)
    ):
        assert np.abs(ours - theirs.numpy()).max() < tolerance * np.abs(theirs.numpy()).max()
    for one, other in zip(simulation.species, clouds):
        particles = simulation.particles(one)
        assert particles.offset.size == other.offset.numel()
        if real is np.float64:
            ours = sorted_particles(particles.cell, particles.offset, particles.momentum)
            theirs = sorted_particles(other.cell.numpy(), other.offset.numpy(), other.momentum.numpy())
            assert np.abs(ours - theirs).max() < 1e-9


def test_results_do_not_depend_on_threads():
    states = []
    for threads in (1, 2):
        use_threads(threads)
        simulation = warm_box(np.float32, periodic=True)
        simulation.run(50)
        states.append(simulation)
    use_threads(1)
    one, two = states
    assert np.array_equal(one.fields.nodes, two.fields.nodes)
    for a, b in zip(one.species, two.species):
        assert all(np.array_equal(x, y) for x, y in zip(one.particles(a), two.particles(b)))


@pytest.mark.parametrize("real", [np.float32, np.float64])
def test_periodic_box_keeps_every_particle(real):
    """None lost, none doubled: momenta across x, untouched without fields across x, stay a permutation."""
    rng = np.random.default_rng(0)
    particles = cloud(rng, 2.0, real, slice(None))
    simulation = Simulation(CELLS, DX, [Species.of("probe", 0.0, 1.0, 1.0, particles)], walls=None)
    simulation.run(400)
    after = simulation.particles(simulation.species[0])
    assert simulation.count() == particles.offset.size
    assert np.array_equal(np.sort(after.momentum[2]), np.sort(particles.momentum[2]))
    assert after.offset.min() >= 0 and after.offset.max() < 1


def test_open_box_accounts_for_absorbed_particles():
    particles = cloud(np.random.default_rng(0), 2.0, np.float32, slice(None))
    simulation = Simulation(CELLS, DX, [Species.of("probe", 0.0, 1.0, 1.0, particles)])
    simulation.run(600)
    lost = simulation.species[0].lost
    assert lost[0] > 1000
    assert simulation.count() + lost[0] == particles.offset.size


def test_lists_grow_when_all_particles_meet_in_one_cell():
    """Cold particles converge on the middle: the density there rises far beyond the first capacity."""
    count = np.full(CELLS, 8, np.int64)
    n = int(count.sum())
    momentum = np.zeros((3, n), np.float32)
    position = np.arange(n) / n
    momentum[0] = 0.5 * (0.5 - position)
    particles = Particles(count, np.tile((np.arange(8) + 0.5) / 8, CELLS).astype(np.float32), momentum)
    one = Species.of("focus", 0.0, 1.0, 1.0, particles)
    simulation, room, fullest = Simulation(CELLS, DX, [one]), int(one.lists.width[0]) * 16, 0
    for _ in range(80):
        simulation.run(10)
        fullest = max(fullest, int(one.lists.count[:CELLS].max()))
    assert fullest > 5 * room
    assert simulation.count() == n


@pytest.mark.parametrize(("real", "tolerance"), [(np.float64, 1e-12), (np.float32, 1e-5)])
def test_gauss_law_holds(real, tolerance):
    simulation = warm_box(real, periodic=True)
    simulation.run(200)
    assert gauss_residual(simulation) < tolerance


def test_flatten_and_build_are_inverse():
    particles = cloud(np.random.default_rng(1), 1.0, np.float32, slice(20, 280))
    again = lists.flatten(lists.build(particles), CELLS)
    assert all(np.array_equal(a, b) for a, b in zip(particles, again))
