"""The contract of the loop: hooks in order, rows counted once, phases as they say; for every method."""

from dataclasses import replace
from typing import Literal

import continual_toys as toys
import pytest
import torch
from continual_toys import METHODS, PROBE, TUNE, method

from lineshaft.continual.methods.method import Method
from lineshaft.continual.objectives.barlow_twins import BarlowTwins
from lineshaft.continual.objectives.cross_entropy import CrossEntropy
from lineshaft.continual.objectives.simsiam import SimSiam
from lineshaft.engine import RequestError


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


def test_a_memory_of_anything_but_tensors_is_refused_with_its_key():
    class Counting(Method):
        name: Literal["counting"] = "counting"

        def end(self, memory, loop, task, rows):
            memory["tasks"] = task

    with pytest.raises(RequestError, match=r"methods=counting: memory\['tasks'\] is int; keep tensors alone"):
        toys.learn(toys.loop("mlp", (Counting(),)), 0, TUNE)
