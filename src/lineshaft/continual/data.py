"""The image sets behind the streams: where they come from and how they become tensors."""

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from lineshaft.engine import Dataset, RequestError

CIFAR10 = Dataset(
    name="cifar10",
    folder="continual",
    files={"cifar10_jpeg95.zip": "a2e4eb66fab60b91662260876e85ecc2e06061275e90700b8d1dd966b52498e1"},
    source="CIFAR-10 (Krizhevsky 2009) as PNG files, github.com/cyizhuo/CIFAR-10-dataset @a828d74f; "
    "packed here as one JPEG mosaic a split, quality 95, 4:4:4: a LOSSY copy, 39.9 dB on average",
    licence="none stated by the authors; cite Krizhevsky, Learning Multiple Layers of Features (2009)",
)
DATASETS: list[Dataset] = [CIFAR10]
CIFAR10_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


@dataclass(frozen=True)
class Images:
    """One data set in memory, the rows of its training part first.

    x: uint8 [n, height, width, 3], or float32 [n, pixels] for images kept as plain vectors;
    y: int64 [n]; trained: how many of the leading rows may be trained on, the others are the test part;
    mean, std: a channel's, of the training part, for pixels scaled to 0..1.
    """

    name: str
    x: Tensor
    y: Tensor
    trained: int
    class_names: tuple[str, ...]
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()


def digits() -> Images:
    """scikit-learn's 1,797 digits of 8x8 pixels, as vectors in 0..1; a fixed third is the test part."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
    return Images(
        name="digits",
        x=torch.from_numpy(x / 16).float()[order],
        y=torch.from_numpy(y).long()[order],
        trained=1200,
        class_names=tuple("0123456789"),
    )


def cifar10(folder: Path) -> Images:
    """CIFAR-10 with its official split: 50,000 training and 10,000 test images of 32x32 pixels."""
    path = folder / "cifar10_jpeg95.zip"
    (x, y), (x_test, y_test) = (read_mosaic(path, split, side=32) for split in ("train", "test"))
    return Images(
        name="cifar10",
        x=torch.cat([x, x_test]),
        y=torch.cat([y, y_test]),
        trained=len(x),
        class_names=CIFAR10_CLASSES,
        mean=(0.4914, 0.4822, 0.4465),
        std=(0.2470, 0.2435, 0.2616),
    )


def read_mosaic(path: Path, split: str, side: int) -> tuple[Tensor, Tensor]:
    """Pixels, uint8 [n, side, side, 3], and classes, int64 [n], of one split of a mosaic archive.

    The archive holds one JPEG a split whose tiles are the images, row by row; unused tiles are at the end.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            labels = np.frombuffer(archive.read(f"{split}_labels.u1"), np.uint8)
            mosaic = np.array(Image.open(io.BytesIO(archive.read(f"{split}.jpg"))).convert("RGB"))
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise RequestError(f"{path} is no readable mosaic archive ({error}); fetch the file again") from error
    height, width = mosaic.shape[0] // side, mosaic.shape[1] // side
    if height * width < len(labels):
        raise RequestError(f"{path}: {len(labels)} labels for {height * width} tiles in {split}.jpg")
    tiles = torch.from_numpy(mosaic).view(height, side, width, side, 3).transpose(1, 2)
    return tiles.reshape(-1, side, side, 3)[: len(labels)], torch.from_numpy(labels.astype(np.int64))
