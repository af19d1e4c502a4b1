"""ResNet-18 for small images (He et al., arXiv 1512.03385): a 3x3 stem, no max-pooling, 512 features.

The form that continual-learning papers use on CIFAR; ImageNet's has a 7x7 stem of stride 2 and a max-pool,
which leave only 1x1 positions of a 32x32 image.
"""

from typing import Literal

from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from lineshaft.continual.backbones.net import Backbone, Net
from lineshaft.continual.streams.stream import Stream

STAGES = ((1, 1), (2, 2), (4, 2), (8, 2))  # channels as multiples of the stem's, stride of the first block

FEW = 8  # channels up to which a strided 1x1 convolution is not safe on CPUs


class Norm(nn.BatchNorm2d):
    """BatchNorm with a fixed momentum, which need not count batches: that is a kernel a layer and step."""

    def forward(self, input: Tensor) -> Tensor:
        statistics = (self.running_mean, self.running_var, self.weight, self.bias)
        return F.batch_norm(input, *statistics, self.training, 0.1, self.eps)


class Block(nn.Module):
    """Two 3x3 convolutions around a shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm1 = Norm(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm2 = Norm(outputs)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(*projection(inputs, outputs, stride), Norm(outputs))

    def forward(self, x: Tensor) -> Tensor:
        out = F.relu(self.norm1(self.conv1(x)), inplace=True)
        return F.relu(self.norm2(self.conv2(out)) + self.shortcut(x), inplace=True)


def projection(inputs: int, outputs: int, stride: int) -> list[nn.Module]:
    """A 1x1 convolution with a stride; of few channels the positions are picked first, which is the same.

    On a CPU, torch 2.13 writes out of bounds in the gradient of such a convolution of 8 channels or fewer,
    for odd batches on several threads, and the process dies.
    """
    if inputs > FEW or stride == 1:
        return [nn.Conv2d(inputs, outputs, 1, stride, bias=False)]
    return [nn.MaxPool2d(1, stride), nn.Conv2d(inputs, outputs, 1, bias=False)]


class Resnet18(Backbone):
    """ResNet-18 in its form for small images."""

    name: Literal["resnet18"] = "resnet18"
    channels: int = Field(
        64, ge=1, description="channels of the first stage; the last has eight times as many"
    )

    def build(self, stream: Stream) -> Net:
        self.fits(stream, "pixels")
        return Net(body(stream.store.x.shape[-1], self.channels), self.channels * 8)


def body(inputs: int, channels: int) -> nn.Sequential:
    """A stem, four stages of two blocks, mean over the positions; inputs [n, channels, height, width]."""
    stages: list[nn.Module] = [
        nn.Sequential(nn.Conv2d(inputs, channels, 3, 1, 1, bias=False), Norm(channels), nn.ReLU(inplace=True))
    ]
    before = channels
    for widening, stride in STAGES:
        width = channels * widening
        stages.append(nn.Sequential(Block(before, width, stride), Block(width, width, 1)))
        before = width
    return nn.Sequential(*stages, nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()))
