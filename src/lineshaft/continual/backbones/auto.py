"""The usual backbone for the data at hand."""

from typing import Literal

from lineshaft.continual.backbones.mlp import Mlp
from lineshaft.continual.backbones.net import Backbone, Net
from lineshaft.continual.backbones.resnet import Resnet18
from lineshaft.continual.streams.stream import Stream


class Auto(Backbone):
    """mlp for vectors, resnet18 for pixels, adapters in MiniLM for tokens."""

    name: Literal["auto"] = "auto"

    def build(self, stream: Stream) -> Net:
        store = stream.store
        if store.is_tokens:
            from lineshaft.continual.backbones.minilm import Minilm

            return Minilm().build(stream)
        return Resnet18().build(stream) if store.is_pixels else Mlp().build(stream)
