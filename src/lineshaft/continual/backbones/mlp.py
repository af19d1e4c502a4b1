"""A multi-layer perceptron for small vectors."""

from itertools import pairwise
from typing import Literal

from pydantic import Field
from torch import nn

from lineshaft.continual.backbones.net import Backbone, Net
from lineshaft.continual.streams.stream import Stream


class Mlp(Backbone):
    """inputs - hidden - hidden - width features, ReLU after each."""

    name: Literal["mlp"] = "mlp"
    hidden: int = Field(256, ge=1, description="units of the two hidden layers")
    width: int = Field(64, ge=1, description="features")

    def build(self, stream: Stream) -> Net:
        self.fits(stream, "vectors")
        sizes = (stream.store.x.shape[-1], self.hidden, self.hidden, self.width)
        stages = [nn.Sequential(nn.Linear(a, b), nn.ReLU()) for a, b in pairwise(sizes)]
        return Net(nn.Sequential(*stages), self.width)
