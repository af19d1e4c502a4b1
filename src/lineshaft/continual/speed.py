"""What makes the same computation faster on a GPU: bfloat16, channels-last, and one compiled forward pass.

None of it is part of what a run computes or of its name. LINESHAFT_COMPILE=0 switches compilation off.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from lineshaft.continual.backbones.net import Net


WORTH_COMPILING = 20_000
"""Training rows of a stream below which compiling takes longer than it saves."""


def autocast(device: torch.device) -> torch.autocast:
    """bfloat16 on a GPU, float32 on the CPU."""
    return torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda")


def features(net: "Net", x: Tensor, task: int | None) -> Tensor:
    if net.needs_task:
        return net.features(x, task)
    return fused(forward, net, x, None) if x.is_cuda else net.features(x, task)


def fused(function: Callable[..., Tensor], *arguments: Any) -> Tensor:
    """A function of tensors, compiled on a GPU where that is wanted: many small kernels become few."""
    on_gpu = any(isinstance(value, Tensor) and value.is_cuda for value in arguments)
    return compiled(function)(*arguments) if on_gpu and wanted() else function(*arguments)


_eager = 0  # how many `eager` blocks are open


@contextmanager
def eager() -> Iterator[None]:
    """Plain torch inside: for passes with lent parameters, which would each be compiled anew."""
    global _eager
    _eager += 1
    try:
        yield
    finally:
        _eager -= 1


def wanted() -> bool:
    return not _eager and os.environ.get("LINESHAFT_COMPILE", "1") != "0"


@cache
def compiled(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The function, compiled once a process for all networks of one kind and one shape of batch.

    Each shape, mode and set of frozen parameters is a graph of its own; a failure falls back to plain torch.
    """
    import torch._dynamo as dynamo

    settings: Any = dynamo.config
    settings.suppress_errors = True
    settings.cache_size_limit = 64
    return torch.compile(function, dynamic=False)


def forward(net: "Net", x: Tensor, task: int | None) -> Tensor:
    return net.features(x, task)


def prepare(net: "Net", device: torch.device) -> "Net":
    """On the device, images in channels-last order."""
    if device.type == "cuda":
        torch.backends.cudnn.benchmark = True
        torch.set_float32_matmul_precision("high")
    net.to(device)
    return net.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]
