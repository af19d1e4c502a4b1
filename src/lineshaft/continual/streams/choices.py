"""Every stream of this package, for the union of a configuration."""

from lineshaft.continual.streams.cifar import Cifar10, Cifar100
from lineshaft.continual.streams.digits import Digits

AnyData = Digits | Cifar10 | Cifar100
