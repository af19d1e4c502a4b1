"""What every backbone offers: features of a body; heads are attached to it by the objective."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lineshaft.continual import speed
from lineshaft.continual.paramset import ALL, ParamSet
from lineshaft.continual.streams.stream import Stream
from lineshaft.engine import Part
from lineshaft.engine.errors import RequestError


@dataclass(frozen=True)
class Gate:
    """A layer of units that masks can switch off, and the tensors around it.

    rows: parameters whose rows make the units; columns: parameters whose columns read them.
    """

    units: int
    rows: tuple[str, ...]
    columns: tuple[str, ...]


class Net(nn.Module):
    """A body that maps inputs to features [n, width].

    The body is a sequence of stages, so that methods can put columns beside it or masks behind a stage.
    needs_task: features differ by task (columns, masks, adapters), so each task is embedded for itself.
    recordable: a forward pass waits for nothing and its shapes depend on no data, so that a training step
    may be played back as a CUDA graph.
    """

    recordable = True
    body: nn.Module
    head: nn.Linear
    projector: nn.Sequential
    predictor: nn.Sequential

    def __init__(self, body: nn.Module, width: int) -> None:
        super().__init__()
        self.body, self.width = body, width
        self.masks: nn.ModuleList | None = None  # of nn.Embedding(tasks, units), one a gate
        self.sharpness = self.sharpest = 1.0
        self.task = 0

    @property
    def needs_task(self) -> bool:
        return self.masks is not None

    def forward(self, x: Tensor, task: int | None = None) -> Tensor:
        logits: Tensor = self.head(self.features(x, task))
        return logits

    def features(self, x: Tensor, task: int | None = None) -> Tensor:
        """Features [n, width]; task None: those of the task being learned."""
        if self.masks is None:
            features: Tensor = self.body(x)
            return features
        for number, stage in enumerate(self.stages):
            x = stage(x) * self.gate(number, task)
        return x

    def embed(self, x: Tensor, task: int | None = None) -> Tensor:
        """The same, compiled where that pays."""
        return speed.features(self, x, task)

    def begin(self, task: int) -> None:
        """Called when a task begins, and again when a run resumes within it."""
        self.task = task

    def foreign(self, task: int) -> str | None:
        """A pattern of parameters that belong to other tasks: no phase of this task trains them."""
        return None

    def subsets(self, task: int, classes: tuple[int, ...]) -> dict[str, ParamSet]:
        """Named parts that a schedule may train by themselves; `task`: all that belongs to one task alone."""
        found = {"all": ALL, "body": ParamSet("body", r"body\.")}
        if self.masks is not None:
            masks, rows = (
                ParamSet("masks", r"masks\.", (task,)),
                ParamSet("rows", r"head\.(weight|bias)", classes),
            )
            found |= {"masks": masks, "task": ParamSet("task", masks.pattern, masks.rows, (rows,))}
        return found

    @property
    def stages(self) -> list[nn.Module]:
        if not isinstance(self.body, nn.Sequential):
            raise RequestError(
                f"{type(self.body).__name__} is not a sequence of stages, as this method needs"
            )
        return list(self.body)

    @property
    def gates(self) -> list[Gate]:
        """Where masks fit: behind stages that are one linear layer each."""
        layers = [[(n, m) for n, m in s.named_modules() if isinstance(m, nn.Linear)] for s in self.stages]
        if any(len(found) != 1 for found in layers) or any(
            isinstance(m, nn.Conv2d) for m in self.body.modules()
        ):
            raise RequestError(
                "masks need a backbone of single linear layers (mlp) or adapters (minilm): shared "
                "convolutions and BatchNorm cannot be protected unit by unit"
            )
        names = [f"body.{i}.{found[0][0]}" for i, found in enumerate(layers)]
        readers = [(f"{after}.weight",) for after in names[1:]] + [()]
        return [
            Gate(found[0][1].out_features, (f"{name}.weight", f"{name}.bias"), columns)
            for name, found, columns in zip(names, layers, readers)
        ]

    def gate(self, number: int, task: int | None) -> Tensor:
        """The mask [units] of a task, soft while it is trained."""
        assert self.masks is not None
        sharpness = self.sharpness if self.training else self.sharpest
        table = self.masks[number]
        assert isinstance(table, nn.Embedding)
        return torch.sigmoid(sharpness * table.weight[self.task if task is None else task])


class Backbone(Part):
    """A choice of network: `build` makes it for the inputs of a stream."""

    def build(self, stream: Stream) -> Net:
        raise NotImplementedError

    def fits(self, stream: Stream, kind: str) -> None:
        """Refuse inputs of another kind (`pixels`, `tokens`, `vectors`)."""
        store = stream.store
        found = "pixels" if store.is_pixels else "tokens" if store.is_tokens else "vectors"
        if found != kind:
            raise RequestError(f"backbone {getattr(self, 'name', '')} takes {kind}, these data are {found}")


@torch.no_grad()
def checked(net: Net, stream: Stream) -> Net:
    """The network, if two rows become finite features [2, width]; nothing of it changes."""
    if not isinstance(net, Net):
        raise RequestError(
            f"the backbone built a {type(net).__name__}; wrap it: Net(body, width), from "
            "lineshaft.continual.backbones.net"
        )
    modes = {module: module.training for module in net.modules()}
    net.eval()
    found = net.features(stream.store.view(torch.arange(2)).cpu(), 0)
    for module, training in modes.items():
        module.training = training
    shape = list(found.shape) if isinstance(found, Tensor) else type(found).__name__
    if shape != [2, net.width]:
        raise RequestError(
            f"{type(net.body).__name__} maps two rows to {shape}, it must be [2, {net.width}]: pool over "
            f"positions, or correct width={net.width}"
        )
    return net
