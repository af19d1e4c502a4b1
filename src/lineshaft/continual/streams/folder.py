"""Image folders of one's own: `data=folder data.path=photos`.

    photos/CLASS/*.jpg                         new classes come task by task; a quarter of each class tests
    photos/train/CLASS/*.jpg  photos/test/...  the same with a split of your own
    photos/DOMAIN/CLASS/*.jpg                  data=folder data.kind=domains: every task is a domain

Images of any size become `side` x `side` pixels: the shorter side is scaled, the middle is kept. Grey, RGBA,
palette and 16-bit images become RGB of 8 bits. A file that is not an image, and a folder that holds none, are
named and refused before anything is trained; hidden files are left out.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from PIL import Image, ImageOps
from pydantic import Field
from torch import Tensor

from lineshaft.continual.images import Images
from lineshaft.continual.seeds import generator
from lineshaft.continual.streams.data import ClassData
from lineshaft.continual.streams.split import build, by_domain
from lineshaft.continual.streams.stream import Stream
from lineshaft.engine import RequestError, Run

ENDINGS = {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp"}
TEST_SHARE = 0.25


class Folder(ClassData):
    """Your own images, one folder a class."""

    name: Literal["folder"] = "folder"
    path: str = Field("", description="the folder")
    kind: Literal["classes", "domains"] = Field(
        "classes", description="what tasks are: new classes, or domains"
    )
    side: int = Field(64, ge=8, description="pixels of a side, after scaling and cutting")

    def open(self, run: Run, seed: int) -> Stream:
        if self.kind == "classes":
            return super().open(run, seed)
        images = self.load(run)
        groups, titles = by_domain(images, self.ordered(len(images.domain_names), seed))
        return build(images, groups, titles, seed=seed, device=run.device, **self.sizes())

    def load(self, run: Run) -> Images:
        root = Path(self.path)
        if not self.path or not root.is_dir():
            raise RequestError(
                f"data.path={self.path!r} is not a folder: name one that holds a folder a class"
            )
        if self.kind == "domains":
            return assembled(root, in_domains(root), self.side)
        if {"train", "test"} <= {folder.name for folder in folders(root)}:
            parts = [
                [(f, s, c.name) for c in folders(root / s) for f in pictures(c)] for s in ("train", "test")
            ]
            return assembled(root, parts[0] + parts[1], self.side, trained=len(parts[0]))
        refuse_domains(root)
        return assembled(root, [(f, "", c.name) for c in folders(root) for f in pictures(c)], self.side)


def folders(root: Path) -> list[Path]:
    return sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))


def pictures(folder: Path) -> list[Path]:
    """The images of a class, in subfolders too."""
    found = sorted(p for p in folder.rglob("*") if p.suffix.lower() in ENDINGS and not p.name.startswith("."))
    if not found:
        raise RequestError(f"{folder} holds no images; fill it or remove it")
    return found


def refuse_domains(root: Path) -> None:
    """Folders of equal subfolders are domains, or a split for each class: not one class a folder."""
    inner = [tuple(folder.name for folder in folders(each)) for each in folders(root)]
    direct = any(p.suffix.lower() in ENDINGS for each in folders(root) for p in each.iterdir())
    if len(inner) > 1 and len(inner[0]) > 1 and len(set(inner)) == 1 and not direct:
        raise RequestError(
            f"{root}: every folder holds the folders {', '.join(inner[0][:4])}; for domains with classes in "
            "them set data.kind=domains, else put the images of a class into one folder"
        )


File = tuple[Path, str, str]


def in_domains(root: Path) -> list[File]:
    """(path, domain, class) of every image."""
    for domain in folders(root):
        if not folders(domain):
            raise RequestError(
                f"{domain} holds no folder a class; with data.kind=domains images lie in DOMAIN/CLASS, for "
                "classes alone use data.kind=classes"
            )
    return [(f, d.name, c.name) for d in folders(root) for c in folders(d) for f in pictures(c)]


def assembled(root: Path, files: list[File], side: int, trained: int | None = None) -> Images:
    """(path, domain, class) of every image -> rows; without a split of its own a quarter of each cell
    tests.
    """
    names = sorted({name for _, _, name in files})
    domains = sorted({domain for _, domain, _ in files})
    if len(names) < 2:
        raise RequestError(
            f"{root} holds {len(names)} folders with images; it needs one folder a class, two or more"
        )
    if trained is None:
        files, trained = split(files)
    x = torch.stack([pixels(path, side) for path, _, _ in files])
    return Images(
        name=root.name,
        x=x,
        y=torch.tensor([names.index(name) for _, _, name in files]),
        trained=trained,
        class_names=tuple(names),
        domains=torch.tensor([domains.index(domain) for _, domain, _ in files]),
        domain_names=tuple(domains),
    )


def split(files: list[File]) -> tuple[list[File], int]:
    """Training files first, and how many: a quarter of each class of each domain tests, always the same
    one.
    """
    draws = generator(0, "folder split")
    train, test = [], []
    for cell in cells(files):
        order = torch.randperm(len(cell), generator=draws).tolist()
        count = max(1, round(TEST_SHARE * len(cell)))
        test += [cell[i] for i in order[:count]]
        train += [cell[i] for i in order[count:]]
    return train + test, len(train)


def cells(files: list[File]) -> Iterator[list[File]]:
    keys = dict.fromkeys((domain, name) for _, domain, name in files)
    return ([file for file in files if file[1:] == key] for key in keys)


def pixels(path: Path, side: int) -> Tensor:
    """uint8 [side, side, 3]."""
    try:
        with Image.open(path) as image:
            upright = eight_bits(path, ImageOps.exif_transpose(image)).convert("RGB")
            return torch.from_numpy(np.array(ImageOps.fit(upright, (side, side), Image.Resampling.LANCZOS)))
    except (OSError, ValueError, SyntaxError) as error:
        raise RequestError(f"{path} cannot be read as an image ({error}); remove it or replace it") from None


def eight_bits(path: Path, image: Image.Image) -> Image.Image:
    """16-bit grey and floats (of 0 to 1, or to 255), which `convert` would clip, as 8 bits."""
    if not image.mode.startswith(("I", "F")):
        return image
    values = np.asarray(image).astype(np.float64)
    most = 65535.0 if image.mode != "F" else 1.0 if values.max() <= 1 else 255.0
    if not (values.min() >= 0 and values.max() <= most):
        raise RequestError(
            f"{path} (mode {image.mode}) holds values from {values.min():g} to {values.max():g}, not within "
            f"0 to {most:g}; save it with 8 bits"
        )
    return Image.fromarray((values / most * 255).round().astype(np.uint8))
