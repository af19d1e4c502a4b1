"""Progressive neural networks (Rusu et al., arXiv 1606.04671): a new column a task, lateral connections from
the old ones, which are frozen.

    h_k(i) = stage_k,i(h_k(i-1) + sum_{j<k} U_kij h_j(i-1))

The columns are real: each has parameters of its own (published code that appends the same network again has
none). They all exist from the start, initialised alike at random, so that a checkpoint always has one shape.
What it costs is shown: parameters grow with the number of tasks.
"""

import copy
from typing import Literal

import torch
from torch import Tensor, nn

from lineshaft.continual.backbones.net import Net
from lineshaft.continual.methods.method import Method
from lineshaft.continual.paramset import ParamSet
from lineshaft.continual.streams.stream import Stream


class Pnn(Method):
    """Keeps nothing: the frozen columns are the memory."""

    name: Literal["pnn"] = "pnn"
    recordable = True

    def attach(self, net: Net, stream: Stream) -> Net:
        ids = stream.tasks[0].train[:2]
        return Columns(net, len(stream.tasks), stream.store.view(ids))


class Columns(Net):
    """One body a task; features are those of one column, which reads the columns before it."""

    needs_task = True
    body: nn.ModuleList
    laterals: nn.ModuleList

    def __init__(self, net: Net, count: int, example: Tensor) -> None:
        super().__init__(nn.ModuleList([net.body]), net.width)
        for _ in range(count - 1):
            self.body.append(fresh(net.body))
        for name, child in net.named_children():
            if name != "body":
                setattr(self, name, child)
        shapes = stage_inputs(net, example)
        self.laterals = nn.ModuleList(
            nn.ModuleList(nn.ModuleList(lateral(shape) for _ in range(k)) for shape in shapes)
            for k in range(count)
        )

    def features(self, x: Tensor, task: int | None = None) -> Tensor:
        last = self.task if task is None else min(task, self.task)
        states, columns = [x] * (last + 1), self.columns[: last + 1]
        for number in range(len(columns[0])):
            before = states
            states = [
                column[number](self._joined(k, number, before) if number else before[k])
                for k, column in enumerate(columns)
            ]
        return states[last]

    @property
    def columns(self) -> list[nn.Sequential]:
        return [column for column in self.body if isinstance(column, nn.Sequential)]

    def _joined(self, k: int, number: int, states: list[Tensor]) -> Tensor:
        own = states[k]
        for j in range(k):
            own = own + self.get_submodule(f"laterals.{k}.{number - 1}.{j}")(states[j])
        return own

    def foreign(self, task: int) -> str | None:
        """The other columns, their BatchNorm too."""
        return rf"(body|laterals)\.(?!{task}\.)"

    def subsets(self, task: int, classes: tuple[int, ...]) -> dict[str, ParamSet]:
        found = super().subsets(task, classes)
        return {**found, "body": ParamSet("body", rf"body\.{task}\.")}


def stage_inputs(net: Net, example: Tensor) -> list[torch.Size]:
    """The shapes between the stages."""
    shapes = []
    net.eval()
    with torch.no_grad():
        x = example.cpu()
        for stage in net.stages[:-1]:
            x = stage(x)
            shapes.append(x.shape)
    net.train()
    return shapes


def lateral(shape: torch.Size) -> nn.Module:
    """From a column's units to those of another, at each position; it starts at zero influence."""
    layer = nn.Conv2d(shape[1], shape[1], 1) if len(shape) == 4 else nn.Linear(shape[-1], shape[-1])
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    return layer


def fresh(body: nn.Module) -> nn.Module:
    """A copy with parameters drawn anew."""
    made = copy.deepcopy(body)
    for module in made.modules():
        if callable(reset := getattr(module, "reset_parameters", None)):
            reset()
    return made
