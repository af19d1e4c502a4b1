"""Aerial scenes: sat7, seven classes in five domains (four scales, then another source), and AID's 30
classes.

Neighbouring tiles of one scene fall on both sides of a random split. `split=block` therefore cuts each class
(of each domain) by the number of its source files: the last quarter is the test part.
"""

import lzma
import re
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import Field
from torch import Tensor

from lineshaft.continual import data
from lineshaft.continual.images import Images
from lineshaft.continual.streams.data import ClassData, DomainData
from lineshaft.engine import Run

Split = Literal["random", "block"]
SPLIT: Any = Field("random", description="random: the packed split; block: by the number of the source file")
TEST_SHARE = 0.25


class Sat7(DomainData):
    """64x64 pixels, 7 classes, 5 domains that come one after the other."""

    name: Literal["sat7"] = "sat7"
    split: Split = SPLIT

    def load(self, run: Run) -> Images:
        folder = run.data(data.SAT7)
        images = data.mosaic(folder / "sat7_64_jpeg92.zip")
        if self.split == "random":
            return images
        return by_block(images, folder / "sat_sources.tsv.xz", "sat7_64")


class Aid30(ClassData):
    """64x64 pixels, 30 classes, three a task."""

    name: Literal["aid30"] = "aid30"
    classes_per_task: int | tuple[int, ...] = Field(
        3, description="new classes of each task; the last may have fewer, or one number a task"
    )
    split: Split = SPLIT

    def load(self, run: Run) -> Images:
        folder = run.data(data.AID30)
        images = data.mosaic(folder / "aid30_64_jpeg92.zip")
        return (
            by_block(images, folder / "sat_sources.tsv.xz", "aid30_64") if self.split == "block" else images
        )


def by_block(images: Images, sources: Path, archive: str) -> Images:
    """The same rows split anew: of each class and domain the files with the highest numbers are the test
    part.
    """
    numbers = file_numbers(sources, archive, len(images.y))
    domains = torch.zeros_like(images.y) if images.domains is None else images.domains
    is_test = torch.zeros(len(images.y), dtype=torch.bool)
    for cell in (domains * 1000 + images.y).unique():
        rows = (domains * 1000 + images.y == cell).nonzero()[:, 0]
        last = numbers[rows].argsort(stable=True)[round(len(rows) * (1 - TEST_SHARE)) :]
        is_test[rows[last]] = True
    order = torch.cat([(~is_test).nonzero()[:, 0], is_test.nonzero()[:, 0]])
    moved = {"x": images.x[order], "y": images.y[order], "trained": int((~is_test).sum())}
    return Images(**{**vars(images), **moved, "domains": None if images.domains is None else domains[order]})


def file_numbers(sources: Path, archive: str, rows: int) -> Tensor:
    """The number in the name of each row's source file, training rows first, as the archive has them."""
    found: dict[str, list[int]] = {"train": [], "test": []}
    for line in lzma.decompress(sources.read_bytes()).decode().splitlines()[1:]:
        file, split, _, _, _, source = line.split("\t")
        if file.startswith(archive):
            found[split].append(int(re.findall(r"\d+", source)[-1]))
    numbers = torch.tensor([*found["train"], *found["test"]])
    assert len(numbers) == rows, f"{sources} lists {len(numbers)} rows of {archive}, there are {rows}"
    return numbers
