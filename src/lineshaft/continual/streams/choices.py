"""Every stream of this package, for the union of a configuration."""

from lineshaft.continual.streams.cifar import Cifar10, Cifar100
from lineshaft.continual.streams.digits import Digits
from lineshaft.continual.streams.fmow import Fmow
from lineshaft.continual.streams.folder import Folder
from lineshaft.continual.streams.satellite import Aid30, Sat7
from lineshaft.continual.streams.text import Asc19, Dsc
from lineshaft.continual.streams.tiny import TinyImagenet

AnyData = Digits | Cifar10 | Cifar100 | TinyImagenet | Sat7 | Aid30 | Fmow | Asc19 | Dsc | Folder
