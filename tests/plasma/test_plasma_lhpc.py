"""The learned hybrid: its particles are the solver's, what it hands over is conserved, nothing leaks."""

import dataclasses

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from lineshaft.engine import Options
from lineshaft.engine.run.execute import execute
from lineshaft.plasma.experiments.rollout import SLAB, figures
from lineshaft.plasma.experiments.rollout import Config as RolloutConfig
from lineshaft.plasma.experiments.step import Config as StepConfig
from lineshaft.plasma.experiments.train import Config
from lineshaft.plasma.lhpc import cache, labels, waves
from lineshaft.plasma.lhpc.build import assembled, copied, load, variants
from lineshaft.plasma.lhpc.evaluate import roll
from lineshaft.plasma.lhpc.fluid import limited
from lineshaft.plasma.lhpc.inject import inject
from lineshaft.plasma.lhpc.learn import calibrate
from lineshaft.plasma.lhpc.lessons import Lessons
from lineshaft.plasma.lhpc.losses import Unrolling, single_loss, unrolled_loss
from lineshaft.plasma.lhpc.methods import AllFluid, BiGaussian, Lhpc, Redrawn
from lineshaft.plasma.lhpc.moments import conserved, primitive
from lineshaft.plasma.lhpc.nets import Cnn, Convolution, Fno
from lineshaft.plasma.lhpc.particles import Particles, moments, push
from lineshaft.plasma.lhpc.phase import phase_space
from lineshaft.plasma.lhpc.rollout import fuse, state_of
from lineshaft.plasma.lhpc.score import scales
from lineshaft.plasma.lhpc.target import MACRO, Constants, Target
from lineshaft.plasma.lhpc.trajectory import gauss, simulate, start
from lineshaft.plasma.lhpc.weights import read, write
from lineshaft.plasma.pic import lists
from lineshaft.plasma.pic.laser import Pulse
from lineshaft.plasma.pic.simulation import Simulation
from lineshaft.plasma.pic.species import Species

TARGET = Target(
    train=(3.0, 6.0),
    valid=(4.0,),
    test=(5.0,),
    start=2,
    thickness=5,
    box=9,
    ppc=12,
    ramp=4,
    duration=16,
    steps=320,
)
METHODS = [
    Lhpc(width=4),
    Lhpc(width=4, core=False),
    Lhpc(net="none"),
    AllFluid(width=4, fields="learned", core=False),
    AllFluid(width=4, net="fno"),
    BiGaussian(width=4),
]


@pytest.fixture(scope="module")
def kept():
    torch.set_num_threads(1)
    return simulate(TARGET, "cpu")


def solver_of(method, members=1):
    torch.manual_seed(0)
    found = assembled(TARGET, method, members, "cpu")
    for module in (found.fluid.net, getattr(found.injection, "net", None)):
        if module is not None:  # a head of zeros hides mistakes
            torch.nn.init.normal_(module.head.weight, std=0.1)
    return found


def test_particles_in_torch_are_those_of_the_fast_solver():
    """The same start without motion along z (whose current this solver leaves out), the same laser: same
    fields.
    """
    c, some = Constants(TARGET, 2, "cpu"), start(TARGET, 1, "cpu", 0)
    some = dataclasses.replace(some, uz=torch.zeros_like(some.uz))
    species = []
    for k, (name, charge, mass) in enumerate((("electrons", -1.0, 1.0), ("ions", 1.0, TARGET.mass))):
        count = np.bincount(some.cell[0, k].numpy(), minlength=TARGET.cells)
        u = torch.stack([some.ux[0, k], some.uy[0, k], some.uz[0, k]]).double().numpy()
        offset = some.offset[0, k].double().numpy()
        species.append(Species.of(name, charge, mass, TARGET.weight, lists.Particles(count, offset, u)))
    simulation = Simulation(TARGET.cells, TARGET.dx, species, (Pulse(3.0, TARGET.ramp, TARGET.duration),))
    simulation.run(150)
    along, right, left = (torch.zeros(1, TARGET.cells + k) for k in (0, 1, 1))
    entering = TARGET.entering()[:1]
    for step in range(150):
        fields = torch.stack(waves.nodes(along, right, left), 1)
        jx, jy, some = push(some, fields, c.charge, c.mass, TARGET.dx)
        entered = entering[:, step + 1 : step + 2]
        along, right, left = waves.advance(along, right, left, jx[:, 0], jy[:, 0], entered, TARGET.dx)
    for ours, theirs in ((along, simulation.fields.along), (right, simulation.fields.right_y)):
        assert np.abs(ours[0].numpy() - theirs).max() < 2e-3 * np.abs(theirs).max()
    assert gauss(moments(some, TARGET.cells), along, TARGET) < 1e-4


def test_data_are_complete_and_consistent(kept):
    """Thermal and not are all there is; currents of the groups move the fields; what is injected joins."""
    total = kept.groups[:, :, 0, 0].sum(-1) + kept.groups[:, :, 1, 0].sum(-1)
    assert total.min() > 0.99 * total.max() and kept.gauss < 1e-4
    assert (kept.groups[:, -1, 1, 0].sum(-1) > 0).all()
    moved = kept.fields[:, 2, 0, :-1] - kept.fields[:, 1, 0, :-1]
    expected = -TARGET.dx * kept.current[:, 2, 0].sum(1)[:, :-1]
    assert torch.allclose(moved, expected, atol=1e-4)
    summed = kept.flow[0, 9:17].sum(0)  # the steps of the macro step that ends at row 2
    assert torch.allclose(summed, kept.current[3, 2, :, 0::2], atol=1e-4)
    gained = kept.groups[:, 1:12, 1::2, 0].sum(-1) - kept.groups[:, :11, 1::2, 0].sum(-1)
    assert torch.allclose(gained, kept.injected[:, 1:12, :, 0].sum(-1), atol=2e-2)


@pytest.mark.parametrize("drift", [0.0, 0.4])
def test_labels_raise_few_false_alarms_and_find_a_beam(drift):
    generator, n = torch.Generator().manual_seed(0), 180 * 200
    u = torch.randn(3, 1, 1, n, generator=generator) * 0.1
    u[0, ..., :30] += 8 * drift
    cell = torch.arange(180).repeat_interleave(200)[None, None]
    shape = (1, 2, n)
    u, cell = u.expand(3, *shape), cell.expand(shape)
    some = Particles(
        cell, torch.full(shape, 0.5), u[0], u[1], u[2], torch.full(shape, TARGET.density / 200), n
    )
    out = labels.leaving(some, torch.ones(shape, dtype=torch.bool), TARGET)
    assert out[0, 0, :30].all() == (drift > 0)
    assert out[0, 0, 30:].sum() < 1.5e-4 * n + 4 * (1.5e-4 * n) ** 0.5
    thermal = ~out
    assert not labels.leaving(some, thermal & False, TARGET).any()


def test_a_window_makes_all_left_of_it_particles(kept):
    target = TARGET.model_copy(update={"window": 3.0})
    found = simulate(target, "cpu")
    assert float(found.groups[:, :, 0::2, 0, : target.window_cells - 1].abs().max()) == 0
    assert float(found.groups[:, 0, 1::2, 0].sum()) > 0


@pytest.mark.parametrize("window", [0, 30])
def test_injection_hands_over_and_makes_nothing(window):
    """Number, momenta and squares of fluid and particles together, node by node; the number as predicted."""
    torch.manual_seed(1)
    c, n = Constants(TARGET, 2, "cpu"), TARGET.cells + 1
    density, u = torch.full((2, 2, n), 20.0), torch.zeros(2, 2, n)
    state = conserved(density, u, u, (c.unit**2)[:, :, None].expand(2, 2, 3, n) * 4)
    rate = torch.rand(2, 2, n) * 0.01
    rate[..., -1] = 0
    rates = (rate, u, u, torch.log((c.unit**2)[:, :, None].expand(2, 2, 3, n) * 4))
    after, some = inject(state, Particles.none(2, 256, "cpu"), rates, c, window)
    total = after + moments(some, TARGET.cells)
    assert torch.allclose(total[:, :, 0], state[:, :, 0], atol=1e-4)
    assert torch.allclose(total[:, :, 1:3], state[:, :, 1:3], atol=1e-4)
    assert torch.allclose(total[:, 0, 3:], state[:, 0, 3:], atol=2e-3)
    assert torch.allclose(some.weight.sum(-1), rate.sum(-1), rtol=1e-2)


def test_gradients_reach_the_rates_through_the_draw():
    c, n = Constants(TARGET, 2, "cpu"), TARGET.cells + 1
    zero = torch.zeros(1, 2, n)
    state = conserved(torch.full((1, 2, n), 20.0), zero, zero, torch.ones(1, 2, 3, n) * 0.01)
    leaves = [torch.full((1, 2, n), 0.01), zero.clone(), zero.clone(), torch.full((1, 2, 3, n), -4.0)]
    for leaf in leaves:
        leaf.requires_grad_()
    after, some = inject(state, Particles.none(1, 256, "cpu"), tuple(leaves), c)
    (moments(some, TARGET.cells).sum() + after.square().sum()).backward()
    for leaf in leaves:
        assert torch.isfinite(leaf.grad).all() and leaf.grad.abs().sum() > 0


def test_a_node_never_gives_more_than_it_has():
    n = torch.rand(3, 2, 50)
    flux = torch.randn(3, 2, 49) * 5
    moved = limited(flux, n)
    left = n - torch.nn.functional.pad(moved, (0, 1)) + torch.nn.functional.pad(moved, (1, 0))
    assert left.min() > -1e-6 and torch.allclose(left.sum(-1), n.sum(-1), rtol=1e-5)


@pytest.mark.parametrize("method", METHODS, ids=lambda m: f"{m.name}-{m.net}-{m.core}")
def test_every_method_steps_keeps_gauss_and_learns(kept, method):
    """With nets that say something: finite, Gauss's law to rounding where fields are solved, a gradient
    each.
    """
    solver, lessons = solver_of(method, members=2), Lessons.of(kept, method)
    calibrate(solver, lessons, 2)
    torch.manual_seed(3)
    loss = single_loss(solver, lessons.single(4)) + unrolled_loss(
        solver, lessons.unrolled(2, 2), Unrolling(2)
    )
    assert torch.isfinite(loss)
    if method.net == "none":
        return
    loss.backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in solver.fluid.parameters())
    if method.learned_fields:
        return
    batch = lessons.unrolled(2, 2)
    some = None
    if method.name == "lhpc":
        cell, *rest = batch["particles"].unbind(2)
        some = Particles(cell.long(), *rest, used=cell.shape[-1]).roomier(2 * solver.slots)
    state = state_of(batch["moments"][:, 0], batch["fields"][:, 0], some)
    with torch.no_grad():
        for h in range(2):
            before = state.moments
            state = solver.last(state, batch["entering"][:, h * MACRO : (h + 1) * MACRO])
            state = solver.couple(state, before)
    charge = state.moments[:, state.moments.shape[1] // 2 :, 0].sum(1)
    charge = charge - state.moments[:, : state.moments.shape[1] // 2, 0].sum(1)
    if state.particles is not None:
        held = moments(state.particles, TARGET.cells)
        charge = charge + held[:, 1, 0] - held[:, 0, 0]
    residual = state.along.diff(dim=1) / TARGET.dx - charge[:, 1:-1]
    assert residual.abs().max() / TARGET.density < 1e-4


@pytest.mark.parametrize("make", [Cnn, Fno])
def test_members_know_nothing_of_each_other(make):
    torch.manual_seed(0)
    net = make(3, 5, 4, 6)
    torch.nn.init.normal_(net.head.weight)
    x = torch.randn(6, 5, 40)
    before = net(x).detach()
    with torch.no_grad():
        for p in net.parameters():
            (p[:, 1] if p.dim() == 5 else p[1]).fill_(7.0)
    after = net(x).detach()
    assert torch.equal(before[:2], after[:2]) and torch.equal(before[4:], after[4:])
    assert not torch.allclose(before[2:4], after[2:4])


@pytest.mark.parametrize(("kernel", "dilation"), [(5, 1), (5, 4), (1, 1)])
def test_both_ways_to_convolve_agree(kernel, dilation):
    torch.manual_seed(0)
    net, x = Convolution(3, 4, 6, kernel, dilation), torch.randn(3, 4, 2, 30)
    assert torch.allclose(net.grouped(x), net.product(x), atol=1e-5)


def test_training_never_sees_the_held_out_amplitudes(kept):
    """Poisoned, they change no batch by a bit."""
    bad = dataclasses.replace(
        kept,
        **{k: getattr(kept, k).clone() for k in ("groups", "fields", "current", "injected", "entering")},
        snapshots=[[s if t < 2 else s * float("nan") for t, s in enumerate(row)] for row in kept.snapshots],
    )
    for name in ("groups", "fields", "current", "injected", "entering"):
        getattr(bad, name)[2:] = float("nan")
    for method in (Lhpc(), BiGaussian()):
        one, two = Lessons.of(kept, method), Lessons.of(bad, method)
        for draw in (lambda x: x.single(16), lambda x: x.unrolled(16, 2)):
            torch.manual_seed(5)
            first = draw(one)
            torch.manual_seed(5)
            second = draw(two)
            assert all(torch.equal(first[k], second[k]) for k in first)


def test_moments_and_primitives_are_inverse():
    c = Constants(TARGET, 2, "cpu")
    torch.manual_seed(0)
    n = 5 + torch.rand(1, 2, 9)
    u, spread = torch.randn(1, 2, 9) * c.unit, (1 + torch.rand(1, 2, 3, 9)) * (c.unit**2)[:, :, None]
    found = primitive(conserved(n, u, -u, spread), c)
    for ours, theirs in zip(found, (n, u, -u, spread)):
        assert torch.allclose(ours, theirs, rtol=1e-4, atol=1e-7)


def test_a_run_trains_chooses_and_saves(tmp_path):
    config = Config(
        target=TARGET,
        method=Lhpc(width=4),
        members=2,
        single=4,
        batch=2,
        unroll=(2,),
        unroll_iterations=2,
        unroll_batch=1,
    )
    folder, state = execute("plasma.train", config, tmp_path, Options(device="cpu"))
    assert state == "done", folder.error()
    result = folder.result()
    assert result["valid/field@50"] == pytest.approx(
        min(result["stage/single"], result["stage/unrolled_16"]), rel=0.2
    )
    errors = folder.array("errors_field")
    assert errors.shape == (1, 2, len(TARGET.restarts()), 4) and np.isfinite(errors).all()
    assert folder.array("errors_uncoupled_tail_electrons").shape == errors.shape
    again, parts = read(folder.dir / "model.safetensors")
    assert Config.model_validate(again) == config and set(parts) == {"fluid", "injection"}


def test_the_floor_needs_no_training(tmp_path):
    folder, state = execute(
        "plasma.train", Config(target=TARGET, method=Redrawn()), tmp_path, Options(device="cpu")
    )
    assert state == "done", folder.error()
    assert folder.result()["a0=5/field@1"] < 0.1


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"target": {"test": (2.0,)}}, "different amplitudes"),
        ({"target": {"test": ()}}, "at least one amplitude"),
        ({"target": {"thickness": 90.0}}, "lie in the box"),
        ({"target": {"density": float("inf")}}, "finite"),
        ({"target": {"window": 30.0}, "method": {"name": "fluid"}}, "of the hybrid"),
        ({"unroll": (500,)}, "does not fit"),
    ],
)
def test_impossible_trainings_are_refused(wrong, words):
    with pytest.raises(ValidationError, match=words):
        Config.model_validate(wrong)


def test_an_oracle_of_both_beats_the_classical_core(kept):
    """What truly happened to the thermal group and what truly left it: no fluid model can do better."""
    method = Lhpc(net="none")
    core = solver_of(method)
    scale, last = scales(kept, torch.arange(2)), len(TARGET.amplitudes) - 1
    errors = {
        name: roll(solver, method, kept, last, scale, 1)
        for name, solver in {"core": core, **variants(method, core)}.items()
    }
    assert set(errors) == {"core", "oracle_injection", "oracle_fluid", "oracles"}
    for horizon in (50, 200):
        for quantity in ("field", "moments", "energy_electrons", "tail_electrons"):
            ours, theirs = (float(errors[who][horizon][quantity].mean()) for who in ("oracles", "core"))
            assert ours < theirs, (horizon, quantity)
    assert errors["oracles"][20]["field"].mean() < errors["core"][20]["field"].mean() / 2


def test_an_oracle_fluid_alone_keeps_charge(kept):
    method = Lhpc(net="none")
    solver = dataclasses.replace(solver_of(method), oracle_fluid=True)
    found = roll(solver, method, kept, len(TARGET.amplitudes) - 1, scales(kept, torch.arange(2)), 1)
    assert float(found[50]["gauss"].max()) < 1e-3


def test_data_are_made_once_and_read_as_they_were(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    made = cache.trajectories.__wrapped__(TARGET, "cpu")
    monkeypatch.setattr(cache, "simulate", lambda *_: pytest.fail("made twice"))
    again = cache.trajectories.__wrapped__(TARGET, "cpu")
    assert torch.equal(made.groups, again.groups) and torch.equal(made.injected, again.injected)
    assert all(torch.equal(a, b) for x, y in zip(made.snapshots, again.snapshots) for a, b in zip(x, y))
    assert cache.place(TARGET.model_copy(update={"ppc": 13}), "cpu") != cache.place(TARGET, "cpu")


def test_data_are_made_where_nothing_can_be_kept(tmp_path, monkeypatch):
    (tmp_path / "lineshaft").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.trajectories.__wrapped__(TARGET, "cpu").groups.shape[1] == TARGET.steps // MACRO + 1


def compiled_by_nothing(work, dynamic):
    """Where a compiled step would be; what the compiler itself does is not tested here."""
    return work


@pytest.mark.parametrize("push", [0, 1])
def test_a_fused_step_trains_as_a_plain_one(kept, push, monkeypatch):
    """The same loss and gradients, from a state whose every part asks for gradients."""
    monkeypatch.setattr(torch, "compile", compiled_by_nothing)
    fuse.cache_clear()
    solver, lessons = solver_of(Lhpc(width=4)), Lessons.of(kept, Lhpc(width=4))
    calibrate(solver, lessons, 2)
    batch, found = lessons.unrolled(2, 2), []
    for fused in (False, True):
        torch.manual_seed(1)
        solver.fluid.zero_grad()
        unrolled_loss(solver, batch, Unrolling(2, push, 3, fused)).backward()
        found.append(torch.cat([p.grad.flatten() for p in solver.fluid.parameters()]))
    fuse.cache_clear()
    assert torch.allclose(found[0], found[1], rtol=1e-4, atol=1e-6 * float(found[0].abs().max()))


@pytest.mark.parametrize("name", ["front", "published"])
def test_shipped_solvers_beat_the_core_on_a_slab_they_never_saw(name, tmp_path):
    target = SLAB.model_copy(update={"ppc": 24, "steps": 640})
    config = RolloutConfig(weights=name, target=target, at=26.0, steps=120)
    folder, state = execute("plasma.rollout", config, tmp_path, Options(device="cpu"))
    assert state == "done", folder.error()
    result = folder.result()
    assert result["hybrid/field"] < result["core/field"]
    assert result["hybrid/gauss"] < 1e-3
    assert folder.array("hybrid_phase_ions").shape == folder.array("truth_phase_ions").shape
    assert [figure.title for figure in figures(folder.dir)] == [
        "Error against horizon",
        "Density and field",
        "Phase space",
    ]


def test_phase_space_holds_all_there_is():
    """A cold fluid and particles: their densities add up to the number, in the right bins."""
    c, cells = Constants(TARGET, 2, "cpu"), TARGET.cells
    n = torch.full((1, 2, cells + 1), 2.0)
    u = torch.full_like(n, 0.5)
    fluid = conserved(n, u, 0 * u, torch.full((1, 2, 3, cells + 1), 1e-4))
    some = start(TARGET, 1, "cpu", 0)
    edges = torch.linspace(-1, 1, 121)
    found = phase_space(fluid, some, 0, c, edges, cells)
    assert found.sum() == pytest.approx(float(n[0, 0].sum() + some.weight[0, 0].sum()), rel=1e-3)
    rows = found.sum(1)
    assert rows[84:96].sum() > 0.99 * float(n[0, 0].sum())


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"weights": "nothing.safetensors"}, "neither front nor published nor a file"),
        ({"weights": __file__}, "holds no solver"),
        ({"at": 60.0}, "lower at"),
        ({"target": SLAB.model_dump() | {"test": ()}}, "needs an amplitude"),
    ],
)
def test_impossible_rollouts_are_refused(wrong, words):
    with pytest.raises(ValidationError, match=words):
        RolloutConfig.model_validate(wrong)


def test_weights_of_one_member_are_those_it_trained_with(tmp_path):
    solver = solver_of(Lhpc(width=4), members=3)
    config = Config(target=TARGET, method=Lhpc(width=4), members=3)
    write(tmp_path / "m.safetensors", config.model_dump_json(), copied(solver))
    for which in range(3):
        _, one = load(tmp_path / "m.safetensors", "cpu", which=which)
        assert torch.equal(one.fluid.net.stem.weight[0], solver.fluid.net.stem.weight[which])


def test_weights_of_a_rival_are_no_hybrid(tmp_path):
    path, method = tmp_path / "fluid.safetensors", AllFluid(width=4)
    write(path, Config(target=TARGET, method=method).model_dump_json(), copied(solver_of(method)))
    for config in (RolloutConfig, StepConfig):
        with pytest.raises(ValidationError, match="carries no particles"):
            config(weights=str(path))


def test_a_step_is_timed_for_every_solver(tmp_path):
    folder, state = execute("plasma.step", StepConfig(), tmp_path, Options(device="cpu"))
    assert state == "done", folder.error()
    result = folder.result()
    assert result["ratio/particles"] == 1
    for name in ("lhpc", "core", "fluid"):
        assert result[f"ratio/{name}"] == pytest.approx(result["ms/particles"] / result[f"ms/{name}"])
