"""Every backbone under every phase: what is frozen stays bit-identical, what is not moves."""

from collections.abc import Callable

import pytest
import torch

from lineshaft.continual.backbones.mlp import mlp
from lineshaft.continual.backbones.net import Net
from lineshaft.continual.backbones.resnet import resnet18
from lineshaft.continual.data import Images
from lineshaft.continual.paramset import ALL, HEAD, ParamSet
from lineshaft.continual.phases import Finetune, Frozen, Lpft, Phase
from lineshaft.continual.streams import Stream, class_incremental
from lineshaft.continual.train import Learner, Step, plan

PROBE = Phase(2, HEAD, lr=0.1, batchnorm="eval")
TUNE = Phase(2, ALL, lr=0.01)
Case = tuple[Callable[[], Net], Callable[[], Stream]]


def vectors() -> Stream:
    y = torch.arange(4).repeat(20)
    x = torch.randn(80, 9, generator=torch.Generator().manual_seed(0)) + y[:, None]
    return class_incremental(Images("vectors", x, y, 40, tuple("abcd")), 2, seed=0)


def pixels() -> Stream:
    y = torch.arange(4).repeat(6)
    x = torch.randint(0, 256, (24, 8, 8, 3), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    return class_incremental(Images("pixels", x, y, 12, tuple("abcd"), (0.5,) * 3, (0.25,) * 3), 2, seed=0)


CASES: dict[str, Case] = {"mlp": (lambda: mlp(9, 4), vectors), "resnet18": (lambda: resnet18(3, 4), pixels)}


@pytest.fixture(params=CASES)
def learner(request: pytest.FixtureRequest) -> tuple[Learner, Stream]:
    new_net, new_stream = CASES[request.param]
    torch.manual_seed(0)
    stream = new_stream()
    return Learner(new_net(), stream.store, batch=8, weight_decay=0.1, seed=0), stream


def train(learner: Learner, stream: Stream, phase: Phase, task: int = 0) -> list[float]:
    learner.begin(phase)
    return [learner.epoch(stream.tasks[task].train, phase) for _ in range(phase.epochs)]


def copy(net: Net) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in net.state_dict().items()}


def moved(before: dict[str, torch.Tensor], net: Net) -> set[str]:
    return {name for name, value in net.state_dict().items() if not torch.equal(before[name], value)}


def test_backbones_offer_features_and_one_head(learner: tuple[Learner, Stream]) -> None:
    (trained, stream), net = learner, learner[0].net
    x = stream.store.view(torch.arange(3))
    net.eval()
    features = net.features(x)
    assert features.shape == (3, net.head.in_features)
    assert torch.allclose(net(x), net.head(features)) and net(x).shape == (3, 4)
    assert trained.generator.initial_seed() == 0


def test_probing_moves_the_head_alone_to_the_last_bit(learner: tuple[Learner, Stream]) -> None:
    trained, stream = learner
    before = copy(trained.net)
    losses = train(trained, stream, PROBE)
    assert moved(before, trained.net) == {"head.weight", "head.bias"}
    assert losses[-1] < losses[0]


def test_probing_after_tuning_feels_no_old_momentum(learner: tuple[Learner, Stream]) -> None:
    trained, stream = learner
    before = copy(trained.net)
    train(trained, stream, TUNE)
    assert moved(before, trained.net) >= {name for name, _ in trained.net.named_parameters()}
    before = copy(trained.net)
    train(trained, stream, PROBE, task=1)
    assert moved(before, trained.net) == {"head.weight", "head.bias"}


def test_a_forward_only_body_builds_no_graph() -> None:
    net = mlp(9, 4)
    HEAD.select(net)
    assert not net.features(torch.ones(2, 9)).requires_grad and net(torch.ones(2, 9)).requires_grad


def test_a_set_matches_whole_names_from_their_start_or_is_refused() -> None:
    net = mlp(9, 4)
    assert len(ALL.select(net)) == len(list(net.parameters()))
    assert [tuple(p.shape) for p in HEAD.select(net)] == [(4, 64), (4,)]
    assert [name for name, p in net.named_parameters() if p.requires_grad] == ["head.weight", "head.bias"]
    with pytest.raises(ValueError, match="ead"):
        ParamSet("typo", r"ead\.").select(net)


def test_resnet18_has_the_parameters_of_its_cifar_form() -> None:
    assert sum(p.numel() for p in resnet18(3, 10).parameters()) == 11_173_962


def test_probing_is_added_to_the_epochs_or_taken_out_of_them() -> None:
    added, taken = (Lpft(probe_epochs=3, instead=instead).phases(10) for instead in (False, True))
    assert [(p.epochs, p.trainable.name, p.batchnorm) for p in added] == [
        (3, "head", "eval"),
        (10, "all", "train"),
    ]
    assert [p.epochs for p in taken] == [3, 7]
    assert [p.epochs for p in Finetune().phases(10)] == [10] and Frozen().phases(10) == []


def test_a_plan_evaluates_after_each_task_and_begins_each_phase_once() -> None:
    steps = plan(3, [PROBE, TUNE])
    one_task = [(PROBE, True), (PROBE, False), (TUNE, True), (TUNE, False), (None, False)]
    assert steps == [Step(task, phase, first) for task in range(3) for phase, first in one_task]
    assert plan(2, []) == [Step(0), Step(1)]


def test_batches_are_of_equal_size_and_cover_the_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = vectors()
    learner = Learner(mlp(9, 4), stream.store, batch=8, weight_decay=0.0, seed=0)
    sizes = []
    monkeypatch.setattr(learner, "update", lambda x, y: sizes.append(len(x)) or torch.zeros(()))
    learner.epoch(stream.tasks[0].train, TUNE)
    assert sum(sizes) == len(stream.tasks[0].train) == 18 and sizes == [6, 6, 6]
