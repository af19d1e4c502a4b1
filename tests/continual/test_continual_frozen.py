"""What a phase freezes stays identical to the last bit: parameters, single rows, running statistics."""

from dataclasses import replace

import continual_toys as toys
import pytest
import torch
from continual_toys import HEADS, METHODS, PROBE, TUNE, method
from torch import nn

from lineshaft.continual.augment import Crop
from lineshaft.continual.backbones.net import Net
from lineshaft.continual.loop import Loop
from lineshaft.continual.objectives.cross_entropy import CrossEntropy
from lineshaft.continual.paramset import ALL, HEAD, ParamSet, named, pinned, select
from lineshaft.engine import RequestError


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


@pytest.mark.parametrize("name", METHODS)
def test_what_a_phase_freezes_stays_bit_identical_under_every_method(name):
    loop = toys.loop("mlp", (method(name),))
    toys.learn(loop, 0, PROBE, TUNE)
    loop.begin(1)
    before = toys.copy(loop)
    for phase in loop.methods[0].phases([PROBE], 1, toys.subsets(loop, 1)):
        toys.train(loop, phase)
    assert toys.moved(before, loop) <= HEADS


BUFFERED = {
    "instance norm": lambda: nn.InstanceNorm2d(4, affine=True, track_running_stats=True),
    "spectral norm": lambda: nn.utils.parametrizations.spectral_norm(nn.Conv2d(4, 4, 1)),
    "batch norm without scale": lambda: nn.BatchNorm2d(4, affine=False),
}


@pytest.mark.parametrize("kind", BUFFERED)
def test_buffers_of_any_module_stand_still_while_the_head_is_probed(kind):
    """A user's own network: whatever keeps running values keeps them, and goes on in tuning."""
    data = toys.pixels()
    body = nn.Sequential(nn.Conv2d(3, 4, 3), BUFFERED[kind](), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    net = Net(body, 4)
    CrossEntropy().attach(net, data)
    loop = Loop(net, data, CrossEntropy(), augment=Crop(), batch=8, seed=0)
    before = toys.copy(loop)
    toys.train(loop, replace(PROBE, frozen_stats=False))
    assert toys.moved(before, loop) == HEADS
    toys.train(loop, TUNE)
    assert {name for name, _ in net.named_buffers()} & toys.moved(before, loop)
