"""scikit-learn's 1,797 handwritten digits: the embedded default."""

from typing import Literal

from lineshaft.continual.data import digits
from lineshaft.continual.images import Images
from lineshaft.continual.streams.data import ClassData
from lineshaft.engine import Run


class Digits(ClassData):
    """8x8 pixels as vectors, 10 classes."""

    name: Literal["digits"] = "digits"

    def load(self, run: Run) -> Images:
        return digits()
