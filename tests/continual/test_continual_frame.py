"""The contract of the loop: hooks, freezing to the last bit, counting once; for every method and backbone."""

from dataclasses import replace
from typing import Literal

import continual_toys as toys
import pytest
import torch
from torch import nn

from lineshaft.continual.methods.agem import Agem
from lineshaft.continual.methods.choices import AnyMethod
from lineshaft.continual.methods.der import Der
from lineshaft.continual.methods.hat import Hat
from lineshaft.continual.methods.method import Method
from lineshaft.continual.objectives.barlow_twins import BarlowTwins
from lineshaft.continual.objectives.cross_entropy import CrossEntropy
from lineshaft.continual.objectives.simsiam import SimSiam
from lineshaft.continual.paramset import ALL, HEAD, ParamSet, named, pinned, select
from lineshaft.continual.phases import Phase
from lineshaft.engine import RequestError
from lineshaft.engine.spec.config import variants

PROBE = Phase(2, HEAD, lr=0.1, weight_decay=0.0, frozen_stats=True, counts=False)
TUNE = Phase(2, ALL, lr=0.01)
HEADS = {"head.weight", "head.bias"}
METHODS = dict(variants(AnyMethod).items())
SMALL = {"size": 8}


def method(name: str) -> Method:
    kind = METHODS[name]
    return kind(**{key: value for key, value in SMALL.items() if key in kind.model_fields})


@pytest.fixture(params=toys.BACKBONES)
def loop(request):
    return toys.loop(request.param)


def test_probing_moves_the_head_alone_to_the_last_bit(loop):
    before = toys.copy(loop)
    losses = toys.train(loop, PROBE)
    assert toys.moved(before, loop) == HEADS and losses[-1] < losses[0]


def test_probing_after_tuning_feels_no_old_momentum(loop):
    before = toys.copy(loop)
    toys.train(loop, TUNE)
    assert toys.moved(before, loop) >= {name for name, _ in loop.net.named_parameters()}
    before = toys.copy(loop)
    toys.train(loop, PROBE)
    assert toys.moved(before, loop) == HEADS


def test_batchnorm_that_is_not_trained_is_frozen_though_the_phase_does_not_say_so():
    loop = toys.loop("resnet18")
    before = toys.copy(loop)
    toys.train(loop, replace(PROBE, frozen_stats=False))
    assert toys.moved(before, loop) == HEADS


def test_batchnorm_keeps_its_statistics_in_tuning_where_the_phase_says_so():
    loop = toys.loop("resnet18")
    before = toys.copy(loop)
    toys.train(loop, replace(TUNE, frozen_stats=True))
    assert not any("running" in name for name in toys.moved(before, loop))


def test_a_batchnorm_the_author_froze_stays_frozen():
    data = toys.pixels()
    backbone, _ = toys.BACKBONES["resnet18"]
    net = backbone.build(data)
    CrossEntropy().attach(net, data)
    norm = net.body[0][1]
    norm.eval().requires_grad_(False)
    net.body[1][0].conv1.weight.requires_grad_(False)
    from lineshaft.continual.augment import Crop
    from lineshaft.continual.loop import Loop

    loop = Loop(net, data, CrossEntropy(), augment=Crop(), batch=8, seed=0)
    before = toys.copy(loop)
    toys.train(loop, TUNE)
    still = {"body.0.1.weight", "body.0.1.bias", "body.0.1.running_mean", "body.1.0.conv1.weight"}
    assert not toys.moved(before, loop) & still and "body.1.0.norm1.running_mean" in toys.moved(before, loop)


def test_dropout_is_not_switched_off_by_freezing():
    loop = toys.loop("mlp")
    loop.net.body.append(nn.Dropout(0.5))
    seen = []
    loop.net.body[-1].register_forward_hook(lambda m, x, y: seen.append(m.training))
    toys.train(loop, PROBE)
    assert seen and all(seen)


def test_frozen_rows_do_not_move_under_momentum_and_decay():
    """Zeroed gradients would not be enough: an optimiser with momentum moves them still."""
    loop = toys.loop("mlp")
    new = CrossEntropy().subsets((2, 3))["new"]
    before = toys.copy(loop)
    toys.train(loop, replace(PROBE, trainable=new, weight_decay=0.1, optimiser="adam"))
    assert toys.moved(before, loop) == HEADS
    for name in HEADS:
        now, then = loop.net.state_dict()[name], before[name]
        assert torch.equal(now[:2], then[:2]) and not torch.equal(now[2:], then[2:])


def test_a_subset_that_matches_nothing_names_the_nearest():
    net = toys.loop("mlp").net
    with pytest.raises(RequestError, match=r"weigt.*did you mean head\.weight"):
        select(net, ParamSet("typo", r"head\.weigt"))
    with pytest.raises(RequestError, match="neither a subset"):
        named("(", {"head": HEAD})
    assert named("body", {"body": ALL}) is ALL and named(r"body\.2", {}).pattern == r"body\.2"


def test_the_set_of_all_never_thaws_what_the_author_froze():
    net = toys.loop("mlp").net
    for parameter in net.body[0].parameters():
        parameter.requires_grad_(False)
    trained = select(net, ALL, pinned(net))
    assert not any(p is q for p in trained for q in net.body[0].parameters())


def test_batches_are_of_equal_size_and_no_batchnorm_sees_one_row():
    loop = toys.loop("mlp", batch=8)
    sizes = []
    loop.step = lambda ids, observing: sizes.append(len(ids)) or torch.zeros(())
    toys.train(loop, replace(TUNE, epochs=1))
    assert sum(sizes) == len(loop.stream.tasks[0].train) and max(sizes) - min(sizes) <= 1
    assert toys.loop("resnet18", batch=2).batches(3) == 1  # 2 + 1 would leave a single row
    assert toys.loop("mlp", batch=2).batches(3) == 2
    with pytest.raises(RequestError, match="batch=1"):
        toys.loop("resnet18", batch=1)


@pytest.mark.parametrize("over", ["all", "seen", "task"])
def test_the_loss_covers_the_logits_it_says(over: Literal["all", "seen", "task"]):
    loop = toys.loop("mlp")
    before = toys.copy(loop)
    loop.begin(0)
    toys.train(loop, replace(TUNE, loss_over=over, weight_decay=0.0))
    after = loop.net.state_dict()["head.weight"]
    others = torch.equal(after[2:], before["head.weight"][2:])
    assert others == (over != "all")


def test_the_norm_control_keeps_direction_and_takes_the_norm_of_probing():
    probed, scaled = toys.loop("mlp"), toys.loop("mlp")
    before = toys.copy(scaled)
    toys.train(probed, PROBE)
    toys.train(scaled, replace(PROBE, after="norm"))
    norm = probed.net.head.weight.norm()
    assert torch.allclose(
        scaled.net.head.weight, before["head.weight"] * (norm / before["head.weight"].norm())
    )


def test_momentum_is_carried_only_where_the_phase_says_so():
    ends = []
    for carry in (False, True):
        loop = toys.loop("mlp")
        phase = replace(TUNE, carry=carry, epochs=1, lr=0.1)
        toys.train(loop, phase)
        toys.train(loop, phase)
        ends.append(toys.copy(loop))
    assert not toys.same(*ends)


def test_gradients_are_clipped_to_the_norm():
    loop = toys.loop("mlp")
    before = toys.copy(loop)
    toys.train(loop, replace(TUNE, epochs=1, clip=1e-9, momentum=0.0, weight_decay=0.0, lr=1.0))
    now = toys.copy(loop)
    assert max(float((now[k] - before[k]).abs().max()) for k in now) < 1e-7


class Noting(Method):
    """Writes down its hooks."""

    name: Literal["noting"] = "noting"

    def __getattribute__(self, key):
        value = super().__getattribute__(key)
        hooks = ("begin", "inputs", "loss", "gradients", "restore", "updated", "observe", "end")
        if key not in hooks:
            return value
        return lambda *a: (CALLS.append(key), value(*a))[1]


CALLS: list[str] = []


def test_hooks_come_once_and_in_order():
    CALLS.clear()
    loop = toys.loop("mlp", (Noting(),), batch=100)
    toys.learn(loop, 0, PROBE, TUNE)
    probing = ["inputs", "loss", "gradients", "restore"]
    tuning = [*probing, "updated"]
    assert ["begin", *probing * 2, *tuning, "observe", *tuning, "end"] == CALLS


@pytest.mark.parametrize("name", METHODS)
def test_every_method_runs_keeps_tensors_and_nothing_while_probing(name):
    loop = toys.loop("mlp", (method(name),))
    for task in (0, 1):
        loop.begin(task)
        before = toys.memories(loop)
        for phase in loop.methods[0].phases([PROBE], task, toys.subsets(loop, task)):
            toys.train(loop, phase)
        (then, now) = before[0], loop.memories[0]
        assert toys.same({k: v for k, v in then.items() if k != "waiting"}, now), "probing filled a memory"
        for phase in loop.methods[0].phases([TUNE], task, toys.subsets(loop, task)):
            toys.train(loop, phase)
        loop.end(task)
    assert all(isinstance(value, torch.Tensor) for value in loop.memories[0].values())
    assert loop.memory_bytes >= 0 and torch.isfinite(loop.net.head.weight).all()


@pytest.mark.parametrize("name", METHODS)
def test_what_a_phase_freezes_stays_bit_identical_under_every_method(name):
    loop = toys.loop("mlp", (method(name),))
    toys.learn(loop, 0, PROBE, TUNE)
    loop.begin(1)
    before = toys.copy(loop)
    for phase in loop.methods[0].phases([PROBE], 1, toys.subsets(loop, 1)):
        toys.train(loop, phase)
    assert toys.moved(before, loop) <= HEADS


@pytest.mark.parametrize("name", sorted(set(METHODS) - {"hat"}))
def test_every_method_runs_under_batchnorm_and_convolutions(name):
    loop = toys.loop("resnet18", (method(name),))
    toys.learn(loop, 0, PROBE, TUNE)
    toys.learn(loop, 1, PROBE, replace(TUNE, loss_over="task"))
    assert torch.isfinite(loop.net.head.weight).all()


@pytest.mark.parametrize("name", [name for name, kind in METHODS.items() if "size" in kind.model_fields])
def test_a_buffer_sees_every_row_once_and_refuses_more_than_the_data(name):
    loop = toys.loop("mlp", (method(name),))
    toys.learn(loop, 0, PROBE, PROBE, TUNE, TUNE)
    toys.learn(loop, 1, TUNE)
    assert int(loop.memories[0]["count"]) == loop.stream.trained_rows
    kept = loop.memories[0]["ids"]
    trained = torch.cat([task.train for task in loop.stream.tasks])
    assert torch.isin(kept, trained).all()
    with pytest.raises(RequestError, match=r"larger than the data: the stream has \d+ training rows"):
        toys.loop("mlp", (METHODS[name](size=10_000),))


@pytest.mark.parametrize(
    "objective", [CrossEntropy(), SimSiam(width=12, hidden=6), BarlowTwins(width=12)], ids=lambda o: o.name
)
@pytest.mark.parametrize("name", [None, "si", "lwf", "der", "lump", "agem", "joint", "pnn"])
def test_objectives_and_methods_compose(objective, name):
    methods = (method(name),) if name else ()
    loop = toys.loop("mlp", methods, objective)
    before = toys.copy(loop)
    head = objective.subsets((0, 1))["head"]
    loop.begin(0)
    toys.train(loop, replace(PROBE, trainable=head))
    changed = toys.moved(before, loop)
    assert changed and all(head.covers(key) for key in changed), (
        "probing moved more than the objective's head"
    )
    toys.learn(loop, 0, TUNE)
    toys.learn(loop, 1, TUNE)
    assert all(torch.isfinite(v).all() for v in loop.net.state_dict().values())


def test_methods_that_need_labels_say_so():
    for name in ("ewc", "gss", "derpp"):
        with pytest.raises(RequestError, match=r"label|classifier"):
            toys.loop("mlp", (method(name),), SimSiam(width=8))


def test_masks_refuse_a_network_they_cannot_protect():
    with pytest.raises(RequestError, match="masks need"):
        toys.loop("resnet18", (Hat(),))


def test_masked_features_of_an_earlier_task_do_not_change():
    """Unit masks of 0 and 1 protect to the last bit what an earlier task uses."""
    loop = toys.loop("mlp", (Hat(strength=0.1),), batch=2, data=toys.vectors(each=60))
    task = replace(TUNE, loss_over="task", epochs=5, lr=0.02, weight_decay=0.01)
    toys.learn(loop, 0, task)
    loop.net.eval()
    x = loop.store.view(loop.stream.tasks[0].test)
    before = loop.net.features(x, 0).detach()
    toys.learn(loop, 1, task)
    loop.net.eval()
    assert torch.allclose(loop.net.features(x, 0), before, atol=1e-5)
    assert not torch.allclose(loop.net.features(x, 1), before, atol=1e-3)


@pytest.mark.parametrize("kind", toys.BACKBONES)
def test_old_columns_never_change(kind):
    loop = toys.loop(kind, (METHODS["pnn"](),))
    toys.learn(loop, 0, TUNE)
    loop.net.eval()
    x = loop.store.view(loop.stream.tasks[0].test)
    before, state = loop.net.features(x, 0).detach(), toys.copy(loop)
    toys.learn(loop, 1, TUNE)
    loop.net.eval()
    assert torch.equal(loop.net.features(x, 0), before)
    assert all(not name.startswith(("body.0.", "laterals.0.")) for name in toys.moved(state, loop))
    assert not torch.equal(loop.net.features(x, 1), before)


def test_agem_takes_out_the_part_that_would_harm_the_past():
    loop = toys.loop("mlp", (Agem(size=8),))
    toys.learn(loop, 0, TUNE)
    loop.begin(1)
    loop._prepare(TUNE)
    ids = loop.stream.tasks[1].train[:4]
    agem, memory = loop.each()[0]
    loop.net.eval()
    loss = loop.objective.loss(loop.net, loop.batch(ids))[1]
    loss.backward()
    fixed_reference = agem._reference(memory, loop, [p for _, p in loop.parameters()])
    object.__setattr__(agem, "_reference", lambda *a: fixed_reference)
    before = sum(float((p.grad * r).sum()) for (_, p), r in zip(loop.parameters(), fixed_reference))
    agem.gradients(memory, loop)
    after = sum(float((p.grad * r).sum()) for (_, p), r in zip(loop.parameters(), fixed_reference))
    assert after >= -1e-5 and (before >= 0) == (abs(after - before) < 1e-6)


def test_der_replays_the_outputs_of_a_row_when_it_came():
    loop = toys.loop("mlp", (Der(size=30),), batch=100)
    phase = replace(TUNE, epochs=1, lr=1e-12)
    toys.learn(loop, 0, phase)
    memory = loop.memories[0]
    count = int(memory["count"])
    loop.net.train()
    now = loop.objective.outputs(loop.net, loop.store.view(memory["ids"][:count]), 0)
    assert torch.allclose(memory["outputs"][:count], now, atol=1e-5)


def test_si_measures_how_much_each_parameter_brought_the_loss_down():
    """The path integral over all parameters is the fall of the loss, for small steps on one fixed batch."""
    loop = toys.loop("mlp", (METHODS["si"](),), batch=1000)
    loop.begin(0)
    phase = replace(TUNE, epochs=50, lr=1e-3, momentum=0.0, weight_decay=0.0)
    losses = toys.train(loop, phase)
    path = sum(float(v.sum()) for k, v in loop.memories[0].items() if k.startswith("path:"))
    assert path == pytest.approx(losses[0] - losses[-1], rel=0.1)


def test_importance_is_accumulated_over_tasks():
    loop = toys.loop("mlp", (METHODS["si"](),))
    toys.learn(loop, 0, TUNE)
    first = {k: v.clone() for k, v in loop.memories[0].items() if k.startswith("importance")}
    toys.learn(loop, 1, TUNE)
    assert all((loop.memories[0][k] >= v).all() for k, v in first.items())


def test_the_fisher_information_is_the_mean_of_single_squared_gradients():
    from lineshaft.continual.methods.ewc import fisher

    loop = toys.loop("mlp")
    rows = loop.stream.tasks[0].train[:5]
    found = fisher(loop, rows)["head.weight"]
    total = torch.zeros_like(found)
    for row in rows:
        loop.net.zero_grad()
        logits = loop.net(loop.store.view(row[None]), 0)
        torch.nn.functional.cross_entropy(logits, loop.store.labels[row[None]]).backward()
        total += loop.net.head.weight.grad.square()
    assert torch.allclose(found, total / 5, atol=1e-6)


def test_joint_training_sees_all_tasks_at_the_cost_of_one():
    loop = toys.loop("mlp", (METHODS["joint"](),))
    rows = loop.methods[0].rows({}, loop, loop.stream.tasks[0].train)
    assert len(rows) == len(loop.stream.tasks[0].train) == len(rows.unique())
    assert set(loop.store.task[rows].tolist()) == {0, 1}
