"""The hybrids: what is exchanged, what is conserved, and when they are all-particle simulations."""

from dataclasses import replace

import numpy as np
import pytest
from test_plasma_fluid import CELLS, totals

from lineshaft.engine import Options, RequestError
from lineshaft.engine.run.execute import execute
from lineshaft.engine.testing import FakeRun
from lineshaft.plasma import numbers, profiles, tails
from lineshaft.plasma.box import Box, Population
from lineshaft.plasma.cases import Langmuir, Slab
from lineshaft.plasma.experiments import ablation, restart, simulate
from lineshaft.plasma.fluid.fluid import Fluid
from lineshaft.plasma.gather import gathered
from lineshaft.plasma.hybrid import exchange
from lineshaft.plasma.hybrid.conversion import convert
from lineshaft.plasma.hybrid.exchange import Exchange
from lineshaft.plasma.hybrid.solvers import Fluids, HybridA, HybridB, Particles, Solver, Weighted
from lineshaft.plasma.hybrid.window import Window
from lineshaft.plasma.pic import diagnostics
from lineshaft.plasma.pic.laser import Pulse
from lineshaft.plasma.pic.lists import Particles as Held
from lineshaft.plasma.pic.species import Species

TARGET = Slab(start=5, thickness=40, box=48, ramp=5, duration=40, time=60)
FORMS = {
    "a": HybridA(window=1, lead=2, fine=8),
    "b": HybridB(window=4, lead=6),
    "weighted": Weighted(depth=10),
    "a-uncoupled": HybridA(coupling=False),
    "b-uncoupled": HybridB(coupling=False),
}


def gas(drift: float = 0.02, heat: float = 4e-4) -> Fluid:
    rng = np.random.default_rng(0)
    density = 20 * (1 + 0.1 * rng.normal(size=CELLS + 1))
    fluid = Fluid.of(
        "gas", -1.0, 1.0, density, heat, np.stack([drift + 0 * density, drift / 2 + 0 * density, 0 * density])
    )
    fluid.first, fluid.last = 100, CELLS
    fluid.content[:, :100] = 0
    fluid.content[:, 100] /= 2
    return fluid


def sums(cell, offset, u, weight) -> np.ndarray:
    return weight * np.array([u.shape[1], *u.sum(1), np.square(u[0]).sum(), np.square(u[1:]).sum()])


def test_conversion_passes_mass_momentum_and_energy_on_to_the_last_digit():
    fluid = gas()
    before, charge = totals(fluid), fluid.content[0].copy()
    drawn, moved = convert(fluid, 140, 0.3, np.random.default_rng(1))
    np.testing.assert_allclose(totals(fluid) + sums(*drawn, 0.3), before, rtol=1e-12, atol=1e-12)
    assert (drawn.cell >= 100).all() and (drawn.cell < 140).all() and fluid.first == 140
    nodes = np.bincount(drawn.cell, 0.3 * (1 - drawn.offset), CELLS + 1)
    nodes += np.bincount(drawn.cell + 1, 0.3 * drawn.offset, CELLS + 1)
    np.testing.assert_allclose((nodes + fluid.content[0] - charge)[100:141], moved / fluid.charge, atol=1e-10)
    assert abs(moved.sum()) < 1e-9


def test_conversion_of_less_than_one_particle_leaves_all_fluid():
    fluid = gas()
    before = totals(fluid)
    drawn, _ = convert(fluid, 120, 1e6, np.random.default_rng(1))
    assert drawn.cell.size == 0
    np.testing.assert_allclose(totals(fluid), before, rtol=1e-12, atol=1e-12)


def pair(tile: int, heat: float = 4e-4) -> Exchange:
    """A fluid beyond node 100 and thermal particles, some of them fast, on both sides of it."""
    rng = np.random.default_rng(2)
    count = np.full(CELLS, 5, np.int64)
    u = rng.normal(size=(3, 5 * CELLS)) * np.sqrt(heat)
    u[0, ::7] = 0.9
    some = Held(count, rng.random(5 * CELLS), u)
    species = Species.of("gas", -1.0, 1.0, 0.05, some, tile=tile)
    return Exchange(gas(0.0, heat), species, np.array([3], np.uint64), 3.5, 0.1)


def everything(one: Exchange) -> np.ndarray:
    held = one.species.particles()
    return totals(one.fluid) + sums(held.cell, held.offset, held.momentum, one.species.weight)


def charges(one: Exchange) -> np.ndarray:
    held, weight = one.species.particles(), one.species.weight
    nodes = np.bincount(held.cell, weight * (1 - held.offset), CELLS + 1)
    return nodes + np.bincount(held.cell + 1, weight * held.offset, CELLS + 1) + one.fluid.content[0]


@pytest.mark.parametrize("tile", [1, 8])
def test_absorption_takes_the_thermal_ones_beyond_the_edge_and_conserves_everything(tile):
    one = pair(tile)
    before, charge, number = everything(one), charges(one), one.species.number
    one.absorb()
    held = one.species.particles()
    beyond = held.cell >= 100
    assert (held.momentum[0][beyond] > 0.1).mean() > 0.9
    assert (~beyond).sum() == 500 and one.species.number < number
    np.testing.assert_allclose(everything(one), before, rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(charges(one), charge, atol=1e-9)


@pytest.mark.parametrize("tile", [1, 8])
def test_emission_is_the_flux_of_a_gaussian_and_conserves_everything(tile):
    one = pair(tile, heat=0.01)
    one.fluid.content[1:4] = 0
    one.fluid.content[4] = one.fluid.content[5] = 0.01 * one.fluid.content[0]
    before, charge, number = everything(one), charges(one), one.species.number
    expected = one.fluid.content[0, 100:108].sum() / 7.5 * 0.1 / np.sqrt(2 * np.pi) / np.sqrt(1.03)
    apart = one.emit()
    emitted = one.species.number - number
    assert emitted == pytest.approx(expected / 0.05, abs=1)
    np.testing.assert_allclose(everything(one), before, rtol=1e-11, atol=1e-11)
    change = charges(one) - charge
    assert change[99] == pytest.approx(-apart, rel=1e-6, abs=1e-14) and abs(change.sum()) < 1e-9
    new = one.species.particles()
    fresh = (new.cell == 99) & (new.offset > 0.9999)
    assert fresh.sum() == emitted and (new.momentum[0][fresh] < 0).all()


def test_emission_takes_at_most_a_share_of_the_edge():
    one = pair(1, heat=0.04)
    one.fluid.content[:, 100] *= 1e-3
    left = one.fluid.content[0, 100]
    one.emit()
    assert one.fluid.content[0, 100] >= (1 - exchange.MOST) * left - 1e-12


def test_the_window_follows_the_fast_ions_in_whole_stretches_and_never_back():
    count = np.full(CELLS, 1, np.int64)
    u = np.zeros((3, CELLS))
    u[0, :150] = 0.05
    ions = [Species.of("ions", 1.0, 1836.0, 1.0, Held(count, np.full(CELLS, 0.5), u))]
    window = Window(edge=100, end=380, lead=40)
    assert window.wanted(ions) == 180  # the 20th from the right is in cell 130, 40 ahead is 170
    window.edge = 200
    assert window.wanted(ions) == 200
    window.lead = 400
    assert window.wanted(ions) == 380


@pytest.mark.parametrize("form", [HybridA(window=60, fine=60), HybridB(window=60)])
def test_a_window_over_everything_is_the_all_particle_simulation(form):
    """No fluid is left; the electrons' lists differ, so the fields agree to round-off only.

    A dark pulse from the right, so that all moves from the start: tiles are activated as a whole.
    """
    box = TARGET.contents()
    box = replace(box, pulses=(*box.pulses, Pulse(0.0, 1.0, 3.0, side="right")))
    plain, hybrid = (one.build(box, 8, np.float64, 0, True, False) for one in (Particles(), form))
    assert sum(float(fluid.density().sum()) for fluid in hybrid.fluids) == 0
    assert hybrid.count() == plain.count()
    for simulation in (plain, hybrid):
        simulation.run(200)
    scale = np.abs(plain.fields.nodes).max()
    np.testing.assert_allclose(hybrid.fields.nodes, plain.fields.nodes, atol=1e-9 * scale)


@pytest.fixture(scope="module", params=list(FORMS))
def grown(request):
    """Each form after 60/omega0, with the energy budget."""
    simulation = FORMS[request.param].build(TARGET.contents(), 20, np.float32, 0)
    start = diagnostics.energy(simulation)
    budget = diagnostics.advance(simulation, 1200)
    return request.param, simulation, (budget.held - start) / (start + budget.entered)


def test_gauss_holds_as_in_the_particle_code(grown):
    assert diagnostics.gauss_residual(grown[1]) < 3e-5


def test_the_energy_budget_closes(grown):
    """Within 1 % with an ion fluid, 3 % with two."""
    name, _, drift = grown
    assert abs(drift) < (0.03 if name.startswith("b") else 0.01)


def test_no_density_is_negative_and_no_charge_is_lost(grown):
    _, simulation, _ = grown
    assert all(fluid.density().min() >= 0 for fluid in simulation.fluids)
    lost = sum(one.lost[0] for one in simulation.species)
    held = {name: float(simulation.density(name).sum()) for name in simulation.groups()}
    if lost == 0:
        assert held["electrons"] == pytest.approx(800 * 20, rel=1e-5)
    assert held["ions"] == pytest.approx(800 * 20, rel=1e-3)


def test_a_coupled_window_moves(grown):
    name, simulation, _ = grown
    if name in ("a", "b"):
        assert simulation.window.edge > 180 and simulation.species[0].number > 0
    assert set(simulation.groups()) == {"electrons", "ions"}


@pytest.mark.parametrize("name", ["a", "b"])
def test_a_restored_hybrid_goes_on_bit_by_bit(name):
    whole, first, second = (FORMS[name].build(TARGET.contents(), 12, np.float32, 0) for _ in range(3))
    whole.run(460)
    first.run(230)
    second.restore(first.state())
    second.run(230)
    assert np.array_equal(whole.fields.nodes, second.fields.nodes)
    assert whole.window.edge == second.window.edge
    assert np.array_equal(whole.fluids[0].content, second.fluids[0].content)


def test_all_fluid_keeps_gauss_to_round_off():
    simulation = Fluids().build(TARGET.contents(), 1, np.float32, 0)
    simulation.run(300)
    assert simulation.count() == 0 and diagnostics.gauss_residual(simulation) < 1e-12


def foil() -> Box:
    """C6+ and protons with a corona, from the right as well: nothing a hybrid was tuned for."""
    density = profiles.exponential(edge=10, scale=1.0, density=12, length=4) + profiles.slab(10, 30, 12.0)
    plasma = (
        Population("electrons", -1.0, 1.0, density * 1.5, 0.01),
        Population("carbons", 6.0, 12 * 1836.0, density * (1 / 6), 1e-4),
        Population("protons", 1.0, 1836.0, density * 0.5, 1e-4),
    )
    return Box(36.0, 0.05, plasma, (Pulse(3.0, 4.0, 20.0), Pulse(1.0, 4.0, 20.0, side="right")))


@pytest.mark.parametrize("form", [HybridA(), HybridB()])
def test_a_case_of_ones_own_with_two_ions_and_light_from_both_sides(form):
    simulation = form.build(foil(), 20, np.float32, 0)
    assert not simulation.light_cone
    assert np.abs(simulation.fields.along).max() < 0.3
    start = diagnostics.energy(simulation)
    budget = diagnostics.advance(simulation, 700)
    assert abs(budget.held - start) / (start + budget.entered) < 0.03
    assert diagnostics.gauss_residual(simulation) < 3e-5


@pytest.mark.parametrize(
    ("box", "said"),
    [
        (Langmuir().contents(), "none"),
        (
            Box(10, 0.05, (Population("protons", 1.0, 1836.0, profiles.uniform(1.0)),), walls=None),
            "walls",
        ),
    ],
)
@pytest.mark.parametrize("form", [HybridA(), HybridB(), Fluids()])
def test_what_a_hybrid_cannot_treat_is_refused(form, box, said):
    with pytest.raises(RequestError, match=said):
        form.build(box, 10, np.float32, 0)


class Mine(Solver):
    """An outsider's solver: particles, twice as many."""

    def build(self, box, ppc, real, seed, quiet=False, light_cone=False):
        return box.build(2 * ppc, real, seed, quiet, light_cone)


def test_a_solver_of_ones_own_builds_a_simulation():
    found = Mine().build(TARGET.contents(), 3, np.float32, 0)
    assert found.count() == 2 * 800 * 6


def test_simulate_runs_a_hybrid_and_measures_its_tail(tmp_path):
    case = TARGET.model_copy(update={"time": 25.0})
    config = simulate.Config(case=case, ppc=10, rows=20, solver=HybridA())
    folder, state = execute("plasma.simulate", config, tmp_path, Options())
    assert state == "done", folder.error()
    result = folder.result()
    assert result["gauss"] < 3e-5 and 0 <= result["nonthermal/ion_fraction"] < 1


def test_the_ladder_runs_every_rung_in_turn(tmp_path):
    case = TARGET.model_copy(update={"time": 20.0})
    labels = ("plain60", "cheap15", "a30", "b30", "fluid")
    small = tuple(rung.model_copy(update={"ppc": 6}) for rung in ablation.LADDER if rung.label in labels)
    config = ablation.Config(case=case, rungs=small, slices=4)
    folder, state = execute("plasma.ablation", config, tmp_path, Options())
    assert state == "done", folder.error()
    result = folder.result()
    for label in labels:
        assert result[f"{label}/seconds"] > 0
        assert result[f"{label}/gauss@100"] < 1e-4
        assert all(f"{label}/{name}@70" in result for name in (*numbers.TAIL, *numbers.GLOBAL))
    with pytest.raises(ValueError, match="two rungs are called plain60"):
        ablation.Config(rungs=(small[0], small[0]))


def test_a_rung_that_breaks_is_named_and_stops_no_other(tmp_path):
    """Poisoned: the second rung's fields are made NaN at step 300."""

    class Poisoned(Particles):
        def build(self, *given, **more):
            found = super().build(*given, **more)
            step = found.step

            def poisoned(entering):
                step(entering)
                if found.steps == 300:  # beyond what warms the kernels
                    found.fields.right_y[5] = np.nan

            found.step = poisoned
            return found

    rungs = (
        ablation.Rung(label="whole", ppc=4),
        ablation.Rung.model_construct(label="bad", solver=Poisoned(), ppc=4, cheap=False),
    )
    config = ablation.Config.model_construct(
        case=TARGET.model_copy(update={"time": 20.0}), rungs=rungs, looks=(1.0,), slices=4, seed=0
    )
    result = ablation.run(config, FakeRun(tmp_path))
    assert result["bad/broken"] == 304 and "bad/seconds" not in result and "bad/n1@100" not in result
    assert result["whole/seconds"] > 0 and "whole/n1@100" in result and "whole/broken" not in result


def test_wide_clouds_hardly_heat_a_plasma_whose_debye_length_they_do_not_resolve():
    """Form A's deep electrons: cells of 9 Debye lengths, 64 particles each, 100 plasma periods."""
    whole = profiles.slab(5, 15, 20.0)
    plasma = [Population("electrons", -1.0, 1.0, whole, 0.01), Population("ions", 1.0, 1836.0, whole, 0.0)]
    simulation = HybridA(window=1.0, fine=0.0).build(Box(20, 0.05, plasma), 16, np.float32, 0)
    before = diagnostics.kinetic(simulation, "electrons")
    simulation.light_cone = False
    simulation.run(2800)
    assert diagnostics.kinetic(simulation, "electrons") / before < 1.15


def test_restarts_tell_how_far_each_form_goes_with_the_particles(tmp_path):
    config = restart.Config(case=TARGET, ppc=20, times=(25.0,))
    folder, state = execute("plasma.restart", config, tmp_path, Options())
    assert state == "done", folder.error()
    result = folder.result()
    assert result["ions/field@50"] < 1e-3
    assert result["ions/field@200"] < result["a/field@200"] < 0.5
    assert result["fluid/field@50"] > 10 * result["ions/field@50"]
    with pytest.raises(ValueError, match="restarts lie above 0"):
        restart.Config(case=TARGET, times=(59.0,))


def test_tail_numbers_of_ions_with_a_known_answer():
    energy, weight = np.array([0.5, 2.0, 6.0]), np.array([10.0, 3.0, 0.5])
    found = tails.tail(energy, weight)
    assert found["n1"] == 3.5 and found["e1"] == 9.0 and found["e5"] == 3.0
    assert found["top0.4"] == 6.0 and 0.5 < found["top4"] < 2.0
    assert tails.error(found, found, numbers.TAIL) == 0
    doubled = {name: 2 * value for name, value in found.items()}
    assert tails.error(doubled, found, numbers.TAIL) == pytest.approx(1)


def test_the_fluid_counts_in_what_is_gathered():
    simulation = HybridA().build(TARGET.contents(), 10, np.float32, 0)
    some = gathered(simulation, "ions")
    assert some.weight.sum() == pytest.approx(40 * 20, rel=1e-3)
    assert (some.weight * some.energy).sum() == pytest.approx(
        diagnostics.kinetic(simulation, "ions"), rel=1e-3
    )
