"""Small streams with known answers, and loops over them, for the tests of the frame."""

import torch

from lineshaft.continual.augment import Crop
from lineshaft.continual.backbones.mlp import Mlp
from lineshaft.continual.backbones.net import Backbone, Net
from lineshaft.continual.backbones.resnet import Resnet18
from lineshaft.continual.images import Images
from lineshaft.continual.loop import Loop
from lineshaft.continual.methods.choices import AnyMethod
from lineshaft.continual.methods.method import Method
from lineshaft.continual.objectives.cross_entropy import CrossEntropy
from lineshaft.continual.objectives.objective import Objective
from lineshaft.continual.paramset import ALL, HEAD
from lineshaft.continual.phases import Phase
from lineshaft.continual.streams.split import build, by_class
from lineshaft.continual.streams.stream import Stream
from lineshaft.engine.spec.config import variants

PROBE = Phase(2, HEAD, lr=0.1, weight_decay=0.0, frozen_stats=True, counts=False)
TUNE = Phase(2, ALL, lr=0.01)
HEADS = {"head.weight", "head.bias"}
METHODS = dict(variants(AnyMethod))


def method(name: str) -> Method:
    """A method by name, with a small buffer where it has one."""
    kind = METHODS[name]
    return kind(**{key: value for key, value in {"size": 8}.items() if key in kind.model_fields})


def vectors(each: int = 20, classes: int = 4, per_task: int = 2, width: int = 9) -> Stream:
    """Separable classes: `each` rows of a class, half of them for training."""
    y = torch.arange(classes).repeat(each)
    centres = torch.eye(max(width, classes))[:classes, :width] * 3
    x = torch.randn(len(y), width, generator=torch.Generator().manual_seed(0)) * 0.5 + centres[y]
    return stream(Images("vectors", x, y, len(y) // 2, tuple("abcdefghij"[:classes])), per_task)


def pixels(side: int = 8) -> Stream:
    y = torch.arange(4).repeat(12)
    x = torch.randint(0, 256, (48, side, side, 3), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    return stream(Images("pixels", x, y, 24, tuple("abcd"), (0.5,) * 3, (0.25,) * 3), 2)


def stream(images: Images, per_task: int = 2, seed: int = 0, **more: object) -> Stream:
    groups, titles = by_class(images, per_task, list(range(len(images.class_names))))
    return build(images, groups, titles, seed=seed, **more)


BACKBONES: dict[str, tuple[Backbone, object]] = {
    "mlp": (Mlp(hidden=16, width=8), vectors),
    "resnet18": (Resnet18(channels=4), pixels),
}


def loop(
    kind: str = "mlp",
    methods: tuple[Method, ...] = (),
    objective: Objective | None = None,
    batch: int = 8,
    seed: int = 0,
    data: Stream | None = None,
) -> Loop:
    backbone, make = BACKBONES[kind]
    data = data or make()
    objective = objective or CrossEntropy()
    torch.manual_seed(seed)
    net: Net = backbone.build(data)
    objective.attach(net, data)
    for method in methods:
        net = method.attach(net, data)
    return Loop(net, data, objective, methods, augment=Crop(), batch=batch, seed=seed)


def subsets(of: Loop, task: int = 0) -> dict:
    classes = of.stream.tasks[task].classes
    return of.net.subsets(task, classes) | of.objective.subsets(classes)


def train(of: Loop, phase: Phase) -> list[float]:
    """All epochs of one phase; hooks of tasks are the caller's."""
    of.start(phase)
    losses = [of.epoch(number) for number in range(phase.epochs)]
    of.stop()
    return losses


def learn(of: Loop, task: int, *phases: Phase) -> None:
    """One task with all its hooks, the methods' own changes of phases included."""
    chosen = list(phases)
    for method in of.methods:
        chosen = method.phases(chosen, task, subsets(of, task))
    of.begin(task)
    for phase in chosen:
        train(of, phase)
    of.end(task)


def copy(of: Loop) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in of.net.state_dict().items()}


def moved(before: dict[str, torch.Tensor], of: Loop) -> set[str]:
    return {name for name, value in of.net.state_dict().items() if not torch.equal(before[name], value)}


def memories(of: Loop) -> list[dict[str, torch.Tensor]]:
    return [{key: value.clone() for key, value in memory.items()} for memory in of.memories]


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)
