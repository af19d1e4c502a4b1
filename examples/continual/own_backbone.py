"""A backbone of your own, in a plain file: lineshaft run examples/continual/own_backbone.py"""

from typing import Literal

from pydantic import Field
from torch import nn

from lineshaft.continual.backbones.net import Backbone, Net
from lineshaft.continual.experiments import stream
from lineshaft.continual.experiments.stream import figures, run  # noqa: F401


class Normed(Backbone):
    name: Literal["normed"] = "normed"

    def build(self, stream):
        inputs = stream.store.x.shape[-1]
        return Net(nn.Sequential(nn.Linear(inputs, 64), nn.BatchNorm1d(64), nn.ReLU()), width=64)


class Config(stream.Config):
    """The usual stream through one layer with BatchNorm."""

    backbone: Normed = Field(Normed(), description="the network")
