"""Any model of a hub by name, for images or text: `backbone=hub backbone.model=facebook/dinov2-small`.

Features are the pooled output where the model has one, else the mean over positions. `frozen` leaves the
model as it is, so that heads, nearest means and random projections of its features can be compared.
"""

from typing import Any, Literal

from pydantic import Field
from torch import Tensor

from lineshaft.continual.backbones.minilm import load
from lineshaft.continual.backbones.net import Backbone, Net
from lineshaft.continual.backbones.words import PAD, mean_of_words
from lineshaft.continual.streams.stream import Stream
from lineshaft.engine.errors import RequestError


class Hub(Backbone):
    """A pretrained model that `transformers` can load."""

    name: Literal["hub"] = "hub"
    model: str = Field("", description="its name on the hub, or a folder")
    frozen: bool = Field(False, description="never train it")

    def build(self, stream: Stream) -> Net:
        if not self.model:
            raise RequestError("backbone=hub needs backbone.model=NAME")
        model = load(self.model)
        if self.frozen:
            model.requires_grad_(False)
        return HubNet(model, is_text=stream.store.is_tokens)


class HubNet(Net):
    """Pixels [n, 3, height, width] or tokens [n, length] -> features."""

    recordable = False  # nobody knows what a model of a hub does

    def __init__(self, model: Any, is_text: bool) -> None:
        config = model.config
        width = getattr(config, "hidden_size", None) or config.hidden_sizes[-1]
        super().__init__(model, width)
        self.is_text = is_text

    def features(self, x: Tensor, task: int | None = None) -> Tensor:
        if self.is_text:
            hidden = self.body(input_ids=x, attention_mask=(x != PAD).long()).last_hidden_state
            return mean_of_words(hidden, x)
        found = self.body(pixel_values=x)
        pooled: Tensor | None = getattr(found, "pooler_output", None)
        return pooled.flatten(1) if pooled is not None else found.last_hidden_state.flatten(2).mean(-1)
