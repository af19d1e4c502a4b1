"""Every backbone of this package, for the union of a configuration."""

from lineshaft.continual.backbones.auto import Auto
from lineshaft.continual.backbones.mlp import Mlp
from lineshaft.continual.backbones.resnet import Resnet18

AnyBackbone = Auto | Mlp | Resnet18
