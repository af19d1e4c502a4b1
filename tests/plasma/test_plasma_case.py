"""A physicist's own case: what goes in comes out as theory says, and a bad one is refused in a line."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from lineshaft.engine import Folder, Options, RequestError
from lineshaft.engine.run.execute import execute
from lineshaft.engine.run.store import folders
from lineshaft.engine.spec.words import build
from lineshaft.plasma import momenta, profiles
from lineshaft.plasma.box import Box, Population, classes_of
from lineshaft.plasma.cases import Langmuir, Own, Slab, TwoStream
from lineshaft.plasma.experiments.simulate import Config
from lineshaft.plasma.gather import gathered
from lineshaft.plasma.pic import diagnostics, lists
from lineshaft.plasma.pic.laser import Pulse
from lineshaft.plasma.pic.lists import Particles
from lineshaft.plasma.pic.simulation import Broken, Simulation
from lineshaft.plasma.pic.species import Species
from lineshaft.plasma.pic.walls import Wall

EXAMPLE = Path(__file__).parents[2] / "examples" / "plasma_foil.py"
PROTON = 1836.0


def proton_slab(**more) -> Box:
    protons = Population("protons", 1.0, PROTON, profiles.slab(20, 30, 1.0), even=True)
    return Box(50.0, 0.05, (protons,), **more)


def test_protons_alone_explode_as_theory_says():
    """Each stays between the same neighbours, so it feels n d from the middle for ever.

    D(t) = d0 (1 + n t^2 / 2m).
    """
    simulation = proton_slab().build(8, np.float64, 0)
    assert simulation.fields.along[-1] == pytest.approx(5.0, rel=1e-2)  # half of ten c/omega0 of charge
    simulation.run(round(40 / 0.05))
    assert diagnostics.gauss_residual(simulation) < 1e-12
    position = gathered(simulation, "protons").position
    assert np.ptp(position) == pytest.approx(10 * (1 + 40**2 / 2 / PROTON), rel=0.01)


def test_a_mirror_background_holds_the_same_protons():
    simulation = proton_slab(background="mirror").build(8, np.float64, 0)
    assert not simulation.fields.along.any()
    simulation.run(100)
    assert np.ptp(gathered(simulation, "protons").position) < 10.01


def test_electrons_and_ions_of_one_ppc_are_neutral_to_the_last_particle():
    simulation = slab_of(6).build(20, np.float32, 0)
    assert diagnostics.charge_noise(simulation) < 1e-7 and np.abs(simulation.fields.along).max() < 1e-6


def test_independent_loading_is_seen_in_the_charge_and_in_the_field():
    simulation = slab_of(6, ion_ppc=7).build(20, np.float32, 0)
    assert diagnostics.charge_noise(simulation) > 0.03
    assert np.abs(simulation.fields.along).max() > 1e-3
    assert diagnostics.gauss_residual(simulation) < 1e-6


def slab_of(charge: int, ion_ppc: int | None = None) -> Box:
    density = profiles.slab(5, 15, 12.0)
    electrons = Population("electrons", -1.0, 1.0, density, 0.01)
    ions = Population("ions", charge, 12 * PROTON, density * (1 / charge), 1e-4, ppc=ion_ppc)
    return Box(20.0, 0.05, (electrons, ions))


@pytest.mark.parametrize("heat", [0.01, 0.1, 1.0, 100.0])
def test_momenta_are_maxwell_juettner_at_any_temperature(heat):
    """Mean energy from modified Bessel functions: 3 T + K1(1/T) / K2(1/T) - 1."""
    from scipy.special import kve

    expected = 3 * heat + kve(1, 1 / heat) / kve(2, 1 / heat) - 1
    u = momenta.thermal(np.random.default_rng(0), 200_000, heat)
    square = np.square(u).sum(0)
    energy = square / (1 + np.sqrt(1 + square))
    assert energy.mean() == pytest.approx(expected, rel=0.01)
    assert momenta.mean_energy(heat) == pytest.approx(expected, rel=1e-3)
    assert np.abs(u.mean(1)).max() < 4 * u.std() / np.sqrt(200_000)


def test_a_drifting_gas_has_the_stress_of_a_boosted_one():
    """T^0x / T^00 of a gas of enthalpy w and pressure p: w g^2 b / (w g^2 - p), per boosted volume."""
    heat, drift = 0.5, 2.0
    u = momenta.drifting(np.random.default_rng(1), 400_000, heat, (drift, 0.0, 0.0))
    gamma = np.sqrt(1 + np.square(u).sum(0))
    boost, own = np.sqrt(1 + drift**2), momenta.mean_energy(heat) + 1
    enthalpy = own + heat
    assert gamma.mean() == pytest.approx((enthalpy * boost**2 - heat) / boost, rel=0.01)
    assert u[0].mean() == pytest.approx(enthalpy * drift, rel=0.01)
    assert (u[0] / gamma).mean() == pytest.approx(drift / boost, rel=0.01)


def test_a_corona_keeps_its_charge_through_the_classes_of_weight():
    corona = profiles.exponential(edge=20, scale=1, density=10, length=6)
    x = (np.arange(1000) + 0.5) * 0.02
    found = classes_of(corona(x), full=10 / 30, ppc=30, classes=12)
    density = sum(weight * count for weight, count in found)
    smooth = lambda y: y.reshape(-1, 25).mean(1)  # noqa: E731
    dense = smooth(corona(x)) > 0
    assert np.abs(smooth(density)[dense] / smooth(corona(x))[dense] - 1).max() < 0.05
    assert (sum(count for _, count in found)[corona(x) > 0] >= 14).mean() > 0.95


@pytest.mark.parametrize("kind", ["reflecting", "thermal"])
def test_walls_keep_particles_and_charge(kind):
    wall = Wall(kind, 0.2 if kind == "thermal" else 0.0)
    gas = Population("gas", -1.0, 1.0, profiles.uniform(1.0), 0.2)
    rest = Population("rest", 1.0, PROTON, profiles.uniform(1.0), 0.0)
    simulation = Box(10.0, 0.1, (gas, rest), walls=(wall, wall)).build(50, np.float64, 3)
    n, start = simulation.count(), diagnostics.energy(simulation)
    simulation.run(300)
    assert simulation.count() == n and simulation.species[0].lost[0] == 0
    assert diagnostics.gauss_residual(simulation) < 1e-12
    assert diagnostics.kinetic(simulation, simulation.species[0].name) == pytest.approx(start, rel=0.1)


def test_a_thermal_wall_brings_a_cold_gas_to_its_temperature():
    gas = Population("gas", 0.0, 1.0, profiles.uniform(1.0), 0.02)
    simulation = Box(4.0, 0.1, (gas,), walls=(Wall("thermal", 0.5),) * 2).build(100, np.float64, 0)
    simulation.run(8000)
    energy = gathered(simulation, "gas").energy.mean()
    assert energy == pytest.approx(momenta.mean_energy(0.5), rel=0.03)


def test_an_external_field_turns_a_particle_and_an_initial_wave_travels():
    still = Population("one", -1.0, 1.0, profiles.slab(5, 5.1, 1e-9), ppc=1, drift=(0.1, 0, 0))
    box = Box(
        10.0, 0.1, (still,), external={"bz": 0.5}, initial={"ey": lambda x: 1e-3 * np.exp(-((x - 3) ** 2))}
    )
    simulation = box.build(1, np.float64, 0)
    simulation.run(31)  # half a turn takes pi / .5 gamma = 6.3
    u = gathered(simulation, "one").momentum[:, 0]
    angle = np.arctan2(u[1], u[0])
    assert abs(angle) == pytest.approx(0.5 * 3.1 / np.sqrt(1.01), rel=0.05)
    assert simulation.fields.right_y.argmax() == pytest.approx(61, abs=1)


# --- small inputs: each is refused or survived, in words


@pytest.mark.parametrize("value", ["inf", "nan", "-inf"])
@pytest.mark.parametrize(
    "key", ["case.a0", "case.density", "case.time", "case.dx", "case.electron_temperature"]
)
def test_no_parameter_takes_infinity(key, value):
    with pytest.raises(RequestError, match=key.split(".")[1]):
        build(Config, {key: value})


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_one_bad_momentum_is_refused_with_its_cell(bad):
    momentum = np.zeros((3, 10), np.float32)
    momentum[1, 4] = bad
    with pytest.raises(ValueError, match="gas: particle 4 in cell 4"):
        Species.of("gas", -1.0, 1.0, 1.0, Particles(np.ones(10, int), np.full(10, 0.5, np.float32), momentum))


@pytest.mark.parametrize(
    ("weight", "offset", "words"), [(-1.0, 0.5, "weight"), (1.0, 3.7, "offset 3.7"), (0.0, 0.5, "weight")]
)
def test_negative_weights_and_far_offsets_are_refused(weight, offset, words):
    particles = Particles(np.ones(10, int), np.full(10, offset), np.zeros((3, 10)))
    with pytest.raises(ValueError, match=words):
        Species.of("gas", -1.0, 1.0, weight, particles)


def test_a_pulse_in_a_periodic_box_is_refused():
    with pytest.raises(ValueError, match="periodic box has no end"):
        Simulation(100, 0.1, [], (Pulse(1.0, 2.0, 5.0),), walls=None)


@pytest.mark.parametrize("real", [np.float32, np.float64])
def test_a_field_that_breaks_stops_the_run_and_overruns_no_list(real):
    """A NaN poisons one cell of one field: the run ends within a few steps, counting every particle."""
    simulation = slab_of(1).build(20, real, 0)
    simulation.run(3)
    n = simulation.count()
    simulation.fields.nodes[1, 200] = np.nan
    with pytest.raises(Broken, match=r"not finite at step \d+ .* in cell \d+"):
        simulation.run(64)
    assert simulation.count() == n


def test_a_plasma_the_grid_heats_is_refused_or_stopped(tmp_path):
    with pytest.raises(ValidationError, match="Debye"):
        Slab(density=400.0)
    gas = Slab(density=399.0, dx=0.05, electron_temperature=0.016, start=5, thickness=10, box=30, time=30)
    folder, state = execute("plasma.simulate", Config(case=gas, rows=20, ppc=10), tmp_path, Options())
    assert state == "failed" and "unaccounted for" in folder.error()


def test_rows_do_not_alias_the_plasma_frequency(tmp_path):
    result = finished(Config(case=Langmuir(density=64.0)), tmp_path).result()
    assert result["frequency"] == pytest.approx(8.0, rel=0.02)


def test_a_two_stream_run_that_ends_too_early_is_refused():
    with pytest.raises(ValidationError, match=r"raise case\.time"):
        TwoStream(time=20.0)


def test_an_endless_run_is_refused_and_a_long_one_stops_within_seconds(tmp_path):
    with pytest.raises(RequestError, match="more than"):
        build(Config, {"case.time": "1e9"})
    command = [sys.executable, "-m", "lineshaft.engine", "plasma.simulate", "case.time=1e6"]
    env = os.environ | {"LINESHAFT_RUNS": str(tmp_path), "LINESHAFT_THREADS": "1"}
    child = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    log = tmp_path / "plasma.simulate"
    deadline = time.monotonic() + 60
    while not list(log.glob("*/log.txt")) and time.monotonic() < deadline and child.poll() is None:
        time.sleep(0.2)
    time.sleep(6)
    os.kill(child.pid, signal.SIGTERM)
    clock = time.monotonic()
    output, _ = child.communicate(timeout=60)
    assert time.monotonic() - clock < 15, output
    assert list(log.glob("*/checkpoints/*")), output


def test_a_few_crowded_cells_need_no_lists_for_all():
    count = np.ones(10_000, np.int64)
    count[5000:5010] = 10_000
    n = int(count.sum())
    found = lists.build(Particles(count, np.full(n, 0.5, np.float32), np.zeros((3, n), np.float32)))
    assert sum(array.nbytes for array in found) < 20 * n * 16


def finished(config: Config, runs: Path) -> Folder:
    folder, state = execute("plasma.simulate", config, runs, Options())
    assert state == "done", folder.error()
    return folder


def test_an_own_case_runs_from_its_file(tmp_path):
    config = build(Config, {"case": str(EXAMPLE), "rows": "20", "ppc": "8"})
    config = config.model_copy(update={"case": config.case.model_copy(update={"time": 30.0})})
    folder = finished(config, tmp_path)
    result = folder.result()
    assert result["gauss"] < 1e-3 and result["charge/start"] < 1e-6 and abs(result["energy/drift"]) < 0.02
    assert folder.array("probes").shape == (600, 2, 5)
    assert "carbon/max_energy" in result


def test_an_own_case_takes_settings_and_its_content_is_part_of_it(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(EXAMPLE.read_text())
    words = {"case": "own", "case.file": str(file), "case.settings": '{"a0": 2.0}', "case.time": "30"}
    one = build(Config, words)
    assert one.case.contents().pulses[0].a0 == 2.0
    file.write_text(EXAMPLE.read_text().replace("density: float = 12.0", "density: float = 11.0"))
    assert build(Config, words).case.content != one.case.content


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x = 1", "no function box"),
        ("def box(): return 3", "returned int, not a Box"),
        (None, "there is no file"),
    ],
)
def test_a_file_that_is_no_case_is_refused(tmp_path, text, words):
    file = tmp_path / "target.py"
    if text is not None:
        file.write_text(text)
    with pytest.raises(RequestError, match=words):
        build(Config, {"case": "own", "case.file": str(file)})


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (
            lambda: Box(10, 0.1, (Population("a", 1, 1, profiles.uniform(-1.0)),)).build(4, np.float64, 0),
            "density at x",
        ),
        (
            lambda: Box(10, 0.1, (Population("a", 1, 1, profiles.slab(20, 30, 1.0)),)).build(
                4, np.float64, 0
            ),
            "zero in every",
        ),
        (lambda: Box(10, 0.1, (), external={"bx": 1.0}), "'bx'"),
        (lambda: Box(10, 0.1, (), probes=(11.0,)), "probe at 11"),
        (lambda: Box(10, 0.1, (), background="uniform"), "mirror"),
        (lambda: Population("a", 1, 1, profiles.uniform(1.0), temperature=-1.0), "temperature"),
        (lambda: Wall("thermal"), "temperature"),
        (lambda: Wall("sticky"), "absorbing"),
        (
            lambda: Box(10, 0.1, (Population("a", 1, 1, profiles.uniform(1.0)),), walls=None).build(
                4, np.float64, 0
            ),
            "neutral",
        ),
    ],
)
def test_impossible_boxes_are_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_a_case_without_a_file_is_refused_with_the_way_out(tmp_path):
    with pytest.raises(RequestError, match=r"names no file: write case=\./target\.py"):
        execute("plasma.simulate", Config(case=Own()), tmp_path, Options(device="cpu"))
    assert not list(folders(tmp_path))


def test_a_missing_file_is_said_to_be_missing():
    with pytest.raises(RequestError, match="there is no file nothing"):
        build(Config, {"case": "./nothing.py"})


@pytest.mark.parametrize(
    "change",
    [
        {"walls": None, "pulses": ()},
        {"pulses": (Pulse(a0=1.0, duration=10, ramp=2, side="right"),)},
        {"initial": {"ey": 0.1}},
        {"external": {"bz": 1.0}},
        {"plasma": [Population("one", -1.0, 1.0, profiles.slab(5, 8, 1.0))]},
        {
            "plasma": [
                Population(str(q), q, 1.0, profiles.slab(5, 8, 1.0), drift=(0.1, 0, 0)) for q in (1.0, -1.0)
            ]
        },
    ],
)
def test_a_light_cone_is_refused_where_plasma_moves_by_itself(change):
    neutral = [Population(str(q), q, 1.0, profiles.slab(5, 8, 1.0)) for q in (1.0, -1.0)]
    given = {"length": 10.0, "dx": 0.1, "plasma": neutral, "pulses": (Pulse(a0=1.0, duration=10, ramp=2),)}
    Box(**given).build(2, np.float32, 0, light_cone=True)
    with pytest.raises(RequestError, match="light_cone"):
        Box(**given | change).build(2, np.float32, 0, light_cone=True)


def test_a_file_is_a_case_whose_parameters_can_be_set_beside_it(tmp_path):
    """By the words that the documentation shows, in either order."""
    words = [f"case={EXAMPLE}", "case.time=7", 'case.settings={"a0": 8}', "rows=20"]
    for order in (words, [words[0], *reversed(words[1:])]):
        config = build(Config, dict(word.split("=", 1) for word in order))
        assert isinstance(config.case, Own)
        assert (config.case.file, config.case.time, config.case.settings) == (str(EXAMPLE), 7, {"a0": 8})
        assert config.case.contents().pulses[0].a0 == 8


def test_a_file_can_watch_numbers_and_compare_them_with_theory(tmp_path):
    """Electrons that gyrate about an external field turn back after half a period of 2 pi gamma / B."""
    file = tmp_path / "gyration.py"
    file.write_text(
        "import numpy as np\n"
        "from lineshaft.plasma.box import Box, Population\n"
        "from lineshaft.plasma.profiles import slab\n"
        "def box():\n"
        "    one = Population('electrons', -1, 1, slab(5, 6, 1e-9), drift=(0.3, 0, 0), ppc=4)\n"
        "    return Box(10, 0.05, (one,), external={'bz': 0.5})\n"
        "def watched():\n"
        "    return {'ux': lambda s: float(s.species[0].particles().momentum[0].mean())}\n"
        "def compared(time, series):\n"
        "    return {'half': float(time[np.argmin(series['ux'])])}\n"
    )
    config = build(Config, {"case": str(file), "case.time": "9", "rows": "20"})
    result = finished(config, tmp_path).result()
    assert result["half"] == pytest.approx(2 * np.pi * np.sqrt(1.09), abs=0.06)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("def box(:", "SyntaxError"),
        ("import no_such_module", "line 1: ModuleNotFoundError"),
        ("\ndef box():\n    return 1 / 0", "line 3: ZeroDivisionError"),
        ("def box(a0): pass", "TypeError: box.. missing"),
        ("def box(): return 3", "returned int, not a Box"),
        ("def bax(): pass", r"has no function box\(\)"),
    ],
)
def test_a_fault_in_a_case_s_file_is_one_line_that_names_it(tmp_path, text, fault):
    file = tmp_path / "target.py"
    file.write_text(text)
    with pytest.raises(RequestError, match=rf"target\.py.*{fault}"):
        build(Config, {"case": str(file)})


def part(**change: object) -> Population:
    given = {"name": "e", "charge": -1.0, "mass": 1.0, "density": profiles.slab(5, 6, 1.0)}
    return Population(**given | change)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"name": "a/b"}, "a name holds letters"),
        ({"charge": np.nan}, "e: a charge is finite, not nan"),
        ({"mass": 0}, "e: a mass is above 0"),
        ({"mass": np.inf}, "e: a mass is above 0"),
        ({"temperature": -1}, "e: a temperature"),
        ({"drift": (0.1, 0)}, "e: a drift is three"),
        ({"drift": (np.nan, 0, 0)}, "e: a drift is three"),
        ({"density": 3.0}, "e: density and kick are functions"),
        ({"kick": 0.1}, "e: density and kick are functions"),
        ({"ppc": 0}, "e: at least one"),
    ],
)
def test_a_bad_population_is_refused_when_it_is_made(change, fault):
    with pytest.raises(ValueError, match=fault):
        part(**change)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"plasma": part()}, "plasma is a list of Population"),
        ({"plasma": [1]}, "plasma is a list of Population"),
        ({"plasma": [part(density=profiles.slab(20, 30, 1.0))]}, "zero in every cell"),
        ({"plasma": [part(density=lambda x: -1.0)]}, "e: the density at x = 0.05 is -1"),
        ({"plasma": [part(density=lambda x: np.inf)]}, "is inf; it must be finite"),
        ({"plasma": [part(), part(mass=1836.0)]}, "two populations are called e"),
        ({"pulses": Pulse(1, 1, 5)}, "pulses is a list of Pulse"),
        ({"pulses": [Pulse(1, 1, 5, frequency=100)]}, "reduce dx to at most 0.0079"),
        ({"walls": Wall()}, "walls are two"),
        ({"walls": "periodic"}, "walls are two"),
        ({"walls": None, "pulses": [Pulse(1, 1, 5)]}, "a periodic box has no end"),
        ({"background": 3.0}, "a background is None"),
        ({"external": {"bx": 1.0}}, "external fields are"),
        ({"external": {"bz": np.nan}}, "external field bz: a finite number"),
        ({"initial": {"ex": 1.0}}, "initial fields are"),
        ({"probes": [11.0]}, "a probe at 11"),
        ({"length": 1e9}, "1e[+]10 cells"),
        ({"length": -1}, "holds no cell"),
        ({"dx": 0}, "holds no cell"),
    ],
)
def test_a_bad_box_is_refused_when_it_is_made(change, fault):
    with pytest.raises(ValueError, match=fault):
        Box(**{"length": 10.0, "dx": 0.1, "plasma": [part()]} | change)


def test_a_pulse_that_never_reaches_its_peak_is_refused():
    for duration in (-5, 0.5, 1.9):
        with pytest.raises(ValueError, match="never reaches its peak"):
            Pulse(1.0, 1.0, duration)


@pytest.mark.parametrize(
    ("plasma", "fault"),
    [
        ("Population('e', -1, 1, uniform(400.0), 1.0)", "2.00 skin depths"),
        ("Population('e', -1, 1, uniform(20.0), 1e-4)", "44.7 Debye lengths"),
    ],
)
def test_an_own_case_that_the_grid_does_not_resolve_is_refused(tmp_path, plasma, fault):
    file = tmp_path / "target.py"
    file.write_text(
        "from lineshaft.plasma.box import Box, Population\nfrom lineshaft.plasma.profiles import uniform\n"
        f"def box(): return Box(10, 0.1, [{plasma}])\n"
    )
    with pytest.raises(RequestError, match=fault):
        build(Config, {"case": str(file)})
