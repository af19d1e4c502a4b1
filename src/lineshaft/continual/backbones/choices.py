"""Every backbone of this package, for the union of a configuration."""

from lineshaft.continual.backbones.auto import Auto
from lineshaft.continual.backbones.efficientnet import EfficientnetLite0
from lineshaft.continual.backbones.hub import Hub
from lineshaft.continual.backbones.minilm import Minilm
from lineshaft.continual.backbones.mlp import Mlp
from lineshaft.continual.backbones.resnet import Resnet18

AnyBackbone = Auto | Mlp | Resnet18 | EfficientnetLite0 | Minilm | Hub
