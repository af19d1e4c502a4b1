"""Each method does what its paper says, on cases whose answer is known."""

from dataclasses import replace

import continual_toys as toys
import pytest
import torch
from continual_toys import METHODS, TUNE

from lineshaft.continual.methods.agem import Agem
from lineshaft.continual.methods.der import Der
from lineshaft.continual.methods.ewc import fisher
from lineshaft.continual.methods.hat import Hat
from lineshaft.engine import RequestError


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
