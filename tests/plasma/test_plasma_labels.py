"""Labels that particles carry: nothing is lost, false alarms are as expected, and memory keeps roles."""

import numpy as np
import pytest
from pydantic import ValidationError

from lineshaft.engine import Options, RequestError
from lineshaft.engine.run.execute import execute
from lineshaft.engine.testing import assert_resumes
from lineshaft.plasma import profiles, split
from lineshaft.plasma.box import Box, Population
from lineshaft.plasma.cases import Slab
from lineshaft.plasma.experiments.simulate import Config
from lineshaft.plasma.gather import gathered
from lineshaft.plasma.hybrid.solvers import HybridA
from lineshaft.plasma.labels import CELLS, Labelled, Labels
from lineshaft.plasma.pic.lists import Particles
from lineshaft.plasma.pic.simulation import Simulation

HIT = Slab(density=5.0, start=3.0, thickness=10.0, box=16.0, ramp=3.0, duration=12.0, time=18.0)


def gas(ppc: int = 100, cells: int = 2000, temperature: float = 0.001, **more: object) -> Simulation:
    whole = profiles.slab(0, cells * 0.1, 1.0)
    plasma = [
        Population("electrons", -1.0, 1.0, whole, temperature, **more),
        Population("ions", 1.0, 1836.0, whole, temperature),
    ]
    return Box(cells * 0.1, 0.1, plasma, walls=None).build(ppc, np.float32, 0)


def everything(simulation: Simulation, name: str) -> np.ndarray:
    """Place, momenta and weight of all particles of a species, sorted."""
    some = gathered(simulation, name)
    rows = np.stack([some.position, *some.momentum, some.weight])
    return rows[:, np.lexsort(rows)]


@pytest.mark.parametrize("radius", [3.0, 4.5])
@pytest.mark.parametrize("drift", [0.0, 0.3])
def test_false_alarms_on_a_thermal_plasma_are_as_expected(radius, drift):
    simulation = gas(drift=(drift, 0.0, 0.0))
    labelled = Labelled(simulation, Labels(every=1, radius=radius, back=min(radius, 3.0)))
    number = simulation.count() / 2
    for name in ("electrons", "ions"):
        found = labelled.first[name][0] * number
        assert abs(found - labelled.how.expected * number) < 5 * np.sqrt(labelled.how.expected * number)


def test_labels_of_the_start_are_those_of_a_fresh_split():
    simulation = gas(ppc=20, cells=400)
    before = split.nonthermal(gathered(simulation, "electrons"))
    labelled = Labelled(simulation, Labels(every=1))
    assert abs(labelled.first["electrons"][0] - before.mean()) * before.size < 2.5


def test_a_look_loses_nothing_and_records_what_it_moves():
    simulation = gas(ppc=30, cells=200)
    before = {name: everything(simulation, name) for name in ("electrons", "ions")}
    labelled = Labelled(simulation, Labels(every=1, radius=3.0, back=2.0))
    for name, rows in before.items():
        assert np.array_equal(everything(simulation, name), rows)
    held = {name: labelled.measure(name).copy() for name in before}
    assert labelled.look(2.5, 2.4) > 100
    for name, rows in before.items():
        assert np.array_equal(everything(simulation, name), rows)
        out, back = labelled.moved[name]
        assert out.sum() > 0 and np.allclose(
            labelled.moments[name][1] - held[name][1], out - back, atol=1e-12
        )
        assert np.allclose(labelled.moments[name][0] - held[name][0], back - out, atol=1e-12)


def test_labels_remember_who_was_thermal_when_a_beam_outnumbers_the_bulk():
    simulation = gas(ppc=40, cells=CELLS)
    labelled = Labelled(simulation, Labels(every=1))
    pair, beam = labelled.pairs["electrons"][0], 1200
    rng = np.random.default_rng(0)
    momentum = (rng.normal(size=(3, beam)) * 0.01).astype(np.float32)
    momentum[0] += 2.0
    pair.fast.insert(rng.integers(0, CELLS, beam), rng.random(beam).astype(np.float32), momentum)
    held = pair.thermal.number, pair.fast.number
    labelled.look(4.5, 3.0)
    assert (pair.thermal.number, pair.fast.number) == held and held[1] >= beam
    fresh = split.nonthermal(gathered(simulation, "electrons"))
    assert fresh.sum() < beam / 2  # a split without a memory does not find the beam any more


def test_particles_return_when_they_are_near_and_only_where_that_is_wanted():
    for back, more in ((3.0, 0), (0.0, 5)):
        simulation = gas(ppc=40, cells=CELLS)
        labelled = Labelled(simulation, Labels(every=1, back=back))
        pair = labelled.pairs["electrons"][0]
        cell, offset, before = np.arange(5), np.full(5, 0.5, np.float32), pair.fast.number
        pair.fast.insert(cell, offset, np.zeros((3, 5), np.float32))
        labelled.look(4.5, back)
        assert pair.fast.number == before + more


def test_a_block_of_few_particles_keeps_its_labels():
    simulation = gas(ppc=2, cells=CELLS)
    labelled = Labelled(simulation, Labels(every=1))
    pair = labelled.pairs["electrons"][0]
    cell, values = np.arange(35) // 2, np.zeros((3, 35), np.float32)
    few = np.full(7, 0.5, np.float32), np.zeros((3, 7), np.float32)
    pair.thermal.fill(Particles(np.bincount(cell[:7], minlength=CELLS), *few))
    pair.fast.insert(cell, np.full(35, 0.5, np.float32), values)
    assert labelled.look(4.5, 3.0) == 0


def test_labels_change_nothing_of_the_physics():
    plain, watched = (HIT.contents().build(8, np.float64, 0) for _ in range(2))
    labelled = Labelled(watched, Labels(every=10))
    plain.run(300)
    watched.run(300, labelled)
    assert labelled.shares()["electrons"][0] > 0.01
    assert np.abs(plain.fields.nodes - watched.fields.nodes).max() < 1e-9


def test_a_run_keeps_moments_and_events_of_every_row(tmp_path):
    config = Config(case=HIT, ppc=8, rows=20, labels=Labels(every=10))
    folder, state = execute("plasma.simulate", config, tmp_path, Options())
    assert state == "done", folder.error()
    rows, result = folder.array("labels_electrons"), folder.result()
    assert rows.shape == (20, 4, 16, 8)
    assert 0.005 < result["labels/electron_fraction"] < 1 and 0 < result["labels/electron_energy_share"] < 1
    assert result["labels/electron_injected"] > result["labels/electron_fraction"]
    assert result["labels/expected"] == pytest.approx(1.5e-4, rel=0.01)
    last = rows[-1, :2, :, 0].sum(1)
    assert last[1] / last.sum() == pytest.approx(result["labels/electron_fraction"], rel=1e-5)


def test_a_run_with_labels_that_was_cut_ends_as_an_undisturbed_one(tmp_path):
    config = Config(case=HIT.model_copy(update={"time": 12.0}), ppc=3, rows=20, labels=Labels(every=7))
    assert_resumes("plasma.simulate", config, tmp_path, cuts=[9, 25])


def test_labels_that_cannot_work_are_refused(tmp_path):
    with pytest.raises(ValidationError, match=r"labels\.back=5 exceeds labels\.radius=4"):
        Labels(every=1, radius=4, back=5)
    with pytest.raises(RequestError, match="solver=particles"):
        Labelled(HybridA().build(HIT.contents(), 8, np.float32, 0), Labels(every=1))
