"""ResNet-18 for small images (He et al., arXiv 1512.03385): a 3x3 stem, no max-pooling, 512 features.

The form that continual-learning papers use on CIFAR; ImageNet's has a 7x7 stem of stride 2 and a max-pool,
which leave only 1x1 positions of a 32x32 image.
"""

from torch import Tensor, nn
from torch.nn import functional as F

from lineshaft.continual.backbones.net import Net

STAGES = ((64, 1), (128, 2), (256, 2), (512, 2))  # channels, stride of the first block
WIDTH = STAGES[-1][0]


class Block(nn.Module):
    """Two 3x3 convolutions around a shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        out = F.relu(self.norm1(self.conv1(x)), inplace=True)
        return F.relu(self.norm2(self.conv2(out)) + self.shortcut(x), inplace=True)


def resnet18(channels: int, classes: int) -> Net:
    """Four stages of two blocks, mean over the positions; inputs [n, channels, height, width]."""
    layers: list[nn.Module] = [
        nn.Conv2d(channels, 64, 3, 1, 1, bias=False),
        nn.BatchNorm2d(64),
        nn.ReLU(inplace=True),
    ]
    inputs = 64
    for outputs, stride in STAGES:
        layers += [Block(inputs, outputs, stride), Block(outputs, outputs, 1)]
        inputs = outputs
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return Net(nn.Sequential(*layers), WIDTH, classes)
