"""A stream of your own, in a plain file: lineshaft run examples/continual/own_stream.py"""

from typing import Literal

import torch
from pydantic import Field

from lineshaft.continual.experiments import stream
from lineshaft.continual.experiments.stream import figures, run  # noqa: F401
from lineshaft.continual.images import Images
from lineshaft.continual.streams.data import ClassData


class Rings(ClassData):
    name: Literal["rings"] = "rings"
    each: int = Field(200, ge=10, description="points of each of 6 rings")

    def load(self, _run):
        y = torch.arange(6).repeat(self.each)
        angle = torch.rand(len(y), generator=torch.Generator().manual_seed(0)) * 6.283
        x = torch.stack([angle.cos(), angle.sin()], 1) * (1 + y[:, None])
        return Images("rings", x, y, trained=len(y) // 2, class_names=tuple("abcdef"))


class Config(stream.Config):
    """Six rings around one centre; every task brings two of them, to be told apart by their radius."""

    data: Rings = Field(Rings(), description="the rings")
