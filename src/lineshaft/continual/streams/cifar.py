"""CIFAR-10 and CIFAR-100 (Krizhevsky 2009): Seq-CIFAR-10 is 5 tasks of 2 classes, Seq-CIFAR-100 20 of 5."""

from typing import Literal

from pydantic import Field

from lineshaft.continual import data
from lineshaft.continual.images import Images
from lineshaft.continual.streams.data import ClassData
from lineshaft.engine import Run


class Cifar10(ClassData):
    """32x32 colour images, 10 classes."""

    name: Literal["cifar10"] = "cifar10"

    def load(self, run: Run) -> Images:
        return data.cifar10(run.data(data.CIFAR10))


class Cifar100(ClassData):
    """32x32 colour images, 100 classes."""

    name: Literal["cifar100"] = "cifar100"
    classes_per_task: int | tuple[int, ...] = Field(
        5, description="new classes of each task; the last may have fewer, or one number a task"
    )

    def load(self, run: Run) -> Images:
        return data.mosaic(run.data(data.CIFAR100) / "cifar100_jpeg95.zip", data.CIFAR100_STATISTICS)
