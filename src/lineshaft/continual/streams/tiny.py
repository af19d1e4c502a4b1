"""Seq-Tiny-ImageNet: the first 50 classes, five a task. Its classes are ImageNet's: train from scratch."""

from typing import Literal

from pydantic import Field

from lineshaft.continual import data
from lineshaft.continual.images import Images
from lineshaft.continual.streams.data import ClassData
from lineshaft.engine import Run


class TinyImagenet(ClassData):
    """64x64 colour images, 50 classes of the 200."""

    name: Literal["tinyimagenet"] = "tinyimagenet"
    classes_per_task: int | tuple[int, ...] = Field(
        5, description="new classes of each task; the last may have fewer, or one number a task"
    )

    def load(self, run: Run) -> Images:
        return data.mosaic(run.data(data.TINY) / "tinyimagenet_part_a_jpeg75.zip", test="val")
