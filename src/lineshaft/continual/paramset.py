"""A named subset of a network's parameters: what a phase of training may change, down to single rows."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lineshaft.engine.errors import RequestError, nearest

NORMS = (nn.modules.batchnorm._BatchNorm,)


@dataclass(frozen=True)
class ParamSet:
    """The parameters whose full name matches a regular expression from its start.

    rows: of those tensors only these rows (first dimension), None for all. A network that learns row by row
    (the head's new classes, the masks of one task) names them here. More sets can be added with `|`.
    """

    name: str
    pattern: str
    rows: tuple[int, ...] | None = None
    more: tuple["ParamSet", ...] = ()

    def __or__(self, other: "ParamSet") -> "ParamSet":
        return ParamSet(self.name, self.pattern, self.rows, (*self.more, other))

    def covers(self, name: str) -> bool:
        """Whether a parameter of this name is trained, wholly or in part."""
        return any(re.match(part.pattern, name) for part in (self, *self.more))

    def rows_of(self, name: str) -> tuple[int, ...] | None:
        """The rows that are trained, None for all of them."""
        parts = [part for part in (self, *self.more) if re.match(part.pattern, name)]
        if any(part.rows is None for part in parts):
            return None
        return tuple(sorted({row for part in parts for row in part.rows or ()}))


ALL = ParamSet("all", r"")
HEAD = ParamSet("head", r"head\.")


def named(name: str, known: dict[str, ParamSet]) -> ParamSet:
    """A subset by its name; whatever is not a known name is a regular expression over parameter names."""
    if name in known:
        return known[name]
    try:
        re.compile(name)
    except re.error as error:
        raise RequestError(
            f"{name} is neither a subset ({', '.join(known)}) nor a pattern: {error}"
        ) from None
    return ParamSet(name, name)


@dataclass(frozen=True)
class Frozen:
    """Rows of one tensor that a phase must not change, with the values to put back after each step.

    A gradient of zero is not enough: momentum and weight decay still move the row. keep: int64, the rows.
    """

    parameter: nn.Parameter
    keep: Tensor
    values: Tensor

    def restore(self) -> None:
        with torch.no_grad():
            self.parameter.index_copy_(0, self.keep, self.values)


def pinned(net: nn.Module) -> frozenset[str]:
    """Parameters and BatchNorm modules the network's author froze: no subset, not even `all`, may thaw
    them.
    """
    parameters = {name for name, p in net.named_parameters() if not p.requires_grad}
    norms = {name for name, m in net.named_modules() if isinstance(m, NORMS) and not m.training}
    return frozenset(parameters | norms)


def foreign(net: nn.Module, pattern: str | None) -> frozenset[str]:
    """Parameters and BatchNorm modules of other tasks."""
    if pattern is None:
        return frozenset()
    names = [name for name, _ in net.named_parameters()]
    norms = [name for name, module in net.named_modules() if isinstance(module, NORMS)]
    return frozenset(name for name in (*names, *norms) if re.match(pattern, name))


def select(net: nn.Module, chosen: ParamSet, fixed: Iterable[str] = ()) -> list[nn.Parameter]:
    """Let these parameters, and no others, take gradients; return them in the network's order."""
    fixed, found = frozenset(fixed), []
    for name, parameter in net.named_parameters():
        parameter.requires_grad_(chosen.covers(name) and name not in fixed)
        parameter.grad = None  # a gradient of an earlier phase must not be applied or counted again
        if parameter.requires_grad:
            found.append(parameter)
    if not found:
        raise RequestError(unmatched(net, chosen, fixed))
    return found


def unmatched(net: nn.Module, chosen: ParamSet, fixed: frozenset[str]) -> str:
    """A set that matches nothing would train nothing without a word."""
    names = [name for name, _ in net.named_parameters() if name not in fixed]
    close = nearest(chosen.pattern.replace("\\", ""), names)
    return f"no trainable parameter of {type(net).__name__} matches {chosen.pattern!r} ({chosen.name}){close}"


def frozen_rows(net: nn.Module, chosen: ParamSet) -> list[Frozen]:
    """What must be put back after each step: the rows of trained tensors that the set leaves out."""
    found = []
    for name, parameter in net.named_parameters():
        rows = chosen.rows_of(name) if parameter.requires_grad and chosen.covers(name) else None
        if rows is not None:
            others = sorted(set(range(len(parameter))) - set(rows))
            keep = torch.tensor(others, dtype=torch.int64, device=parameter.device)
            found.append(Frozen(parameter, keep, parameter.detach()[keep].clone()))
    return found


def set_modes(net: nn.Module, chosen: ParamSet, frozen_stats: bool, fixed: Iterable[str]) -> None:
    """Training mode, except BatchNorm that is frozen: by the phase, by the subset or by the network's author.

    Dropout is part of training and stays on. Other modules with buffers (running statistics of InstanceNorm,
    vectors of a spectral norm) are frozen with the parameters beside them: a forward pass must not move them.
    """
    fixed = frozenset(fixed)
    net.train()
    for name, module in net.named_modules():
        if isinstance(module, NORMS):
            if frozen_stats or name in fixed or not trained(f"{name}.weight", chosen, fixed):
                module.eval()
        elif any(True for _ in module.buffers(recurse=False)):
            owner = name.split(".parametrizations.")[0]
            module.training = any(
                trained(n, chosen, fixed) for n, _ in net.named_parameters() if below(n, owner)
            )


def trained(name: str, chosen: ParamSet, fixed: Iterable[str]) -> bool:
    return chosen.covers(name) and name not in fixed


def below(name: str, module: str) -> bool:
    """Whether a parameter lies in a module; all lie in the root, whose name is empty."""
    return not module or name.startswith(f"{module}.")
