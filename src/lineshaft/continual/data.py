"""The image sets behind the streams: where they come from and how they become tensors."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from lineshaft.continual.images import Images, Statistics
from lineshaft.engine import Dataset, RequestError

Image.MAX_IMAGE_PIXELS = None  # mosaics are large, and their checksums are verified

CIFAR10 = Dataset(
    name="cifar10",
    folder="continual",
    files={"cifar10_jpeg95.zip": "a2e4eb66fab60b91662260876e85ecc2e06061275e90700b8d1dd966b52498e1"},
    source="CIFAR-10 (Krizhevsky 2009) as PNG files, github.com/cyizhuo/CIFAR-10-dataset @a828d74f; "
    "packed here as one JPEG mosaic a split, quality 95, 4:4:4: a LOSSY copy, 39.9 dB on average",
    licence="none stated by the authors; cite Krizhevsky, Learning Multiple Layers of Features (2009)",
)
PACKED = "packed as one JPEG mosaic a split: a LOSSY copy"
RESEARCH = "none stated by the authors; cite them, research use"
CIFAR100 = Dataset(
    name="cifar100",
    folder="continual",
    files={"cifar100_jpeg95.zip": "8364d197b1fda3e80f6348d692351f9151b1846ee4814d74422cded5d54bac36"},
    source="CIFAR-100 (Krizhevsky 2009) as PNG files, github.com/cyizhuo/CIFAR-100-dataset @b105b30e; "
    f"{PACKED}",
    licence=CIFAR10.licence,
)
TINY = Dataset(
    name="tinyimagenet",
    folder="continual",
    files={
        "tinyimagenet_part_a_jpeg75.zip": "cede3ae4cc765fe659217a90e902b1375e40f53ef770009c326c1537c032605c"
    },
    source=f"Tiny-ImageNet, the first 50 of 200 classes, github.com/seshuad/IMagenet @153dbc161; {PACKED}",
    licence="ImageNet terms: non-commercial research",
)
SOURCES = {"sat_sources.tsv.xz": "b881d22a5fbbe6e23a57155fe8ce82c2b4d53264f26c696a740e31c2bde75955"}
SAT7 = Dataset(
    name="sat7",
    folder="continual",
    files={
        "sat7_64_jpeg92.zip": "3e9bfcae226efd6b9b23a0cca247f3a5374590939ae9e3d1096b96c1241323da",
        **SOURCES,
    },
    source="RSSCN7 (Zou 2015), github.com/palewithout/RSSCN7 @6d77849, and AID (Xia 2017), "
    f"github.com/zlima/testtensor @f6a0f746; {PACKED}",
    licence=RESEARCH,
)
AID30 = Dataset(
    name="aid30",
    folder="continual",
    files={
        "aid30_64_jpeg92.zip": "f83c779630ad1937dcfdf25813348421153b93207142298012f2b89782687c40",
        **SOURCES,
    },
    source=f"AID (Xia 2017), github.com/zlima/testtensor @f6a0f746; {PACKED}",
    licence=RESEARCH,
)
ASC19 = Dataset(
    name="asc19",
    folder="continual",
    files={
        "asc19.jsonl": "2b5bbb98c0392a17bc4881a2a476a1e93eafee20d872b5f954cb1b4a14b0c01f",
        "asc_orders_20.tsv": "efe455aac4bc94326a4716e062acae4d6bdb4a635210b7660b01e8b4d2575495",
    },
    source="19 aspect-sentiment tasks of github.com/ZixuanKe/LifelongSentClass @d02aae9; "
    "orders of PyContinual @25a859b",
    licence="none stated: SemEval-14 and product reviews of Hu and Liu, Liu, Ding; research use",
)
DSC24 = Dataset(
    name="dsc24",
    folder="continual",
    files={"dsc24.tsv.xz": "f8164ee3803f9c7134806c78aaf5d55d35d4dd04528b3b5f6ea3c1ad385c0932"},
    source="24 categories of Amazon reviews, github.com/ZixuanKe/LifelongSentClass @d02aae9",
    licence="none stated: Amazon reviews; research use",
)
DATASETS: list[Dataset] = [CIFAR10, CIFAR100, TINY, SAT7, AID30, ASC19, DSC24]
CIFAR100_STATISTICS = ((0.5071, 0.4865, 0.4409), (0.2673, 0.2564, 0.2762))
IMAGENET_STATISTICS = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
CIFAR10_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


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


def mosaic(path: Path, statistics: Statistics | None = None, test: str = "test") -> Images:
    """A whole archive: its own names, side and domains; mean and std are measured where they are not
    given.
    """
    meta = read_meta(path)
    parts = [read_mosaic(path, split, side=meta["size"]) for split in ("train", test)]
    x, y = (torch.cat(each) for each in zip(*parts))
    mean, std = statistics or ((), ())
    domains = [d for split in ("train", test) if (d := read_bytes(path, f"{split}_domains.u1")) is not None]
    return Images(
        name=meta.get("name", path.stem),
        x=x,
        y=y,
        trained=len(parts[0][0]),
        class_names=tuple(meta["classes"]),
        mean=mean,
        std=std,
        domains=torch.cat(domains) if domains else None,
        domain_names=tuple(meta["domains"]) if isinstance(meta.get("domains"), list) else (),
    )


def read_meta(path: Path) -> dict[str, Any]:
    try:
        with zipfile.ZipFile(path) as archive:
            meta: dict[str, Any] = json.loads(archive.read("meta.json"))
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise RequestError(f"{path} is not a readable mosaic archive ({error}); fetch it again") from error
    return meta


def read_bytes(path: Path, member: str) -> Tensor | None:
    """One byte a row as int64 [n], None where the archive has no such member."""
    with zipfile.ZipFile(path) as archive:
        if member not in archive.namelist():
            return None
        return torch.from_numpy(np.frombuffer(archive.read(member), np.uint8).astype(np.int64))


def read_mosaic(path: Path, split: str, side: int) -> tuple[Tensor, Tensor]:
    """Pixels, uint8 [n, side, side, 3], and classes, int64 [n], of one split of a mosaic archive.

    The archive holds one JPEG a split whose tiles are the images, row by row; unused tiles are at the end.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            labels = np.frombuffer(archive.read(f"{split}_labels.u1"), np.uint8)
            tiled = np.array(Image.open(io.BytesIO(archive.read(f"{split}.jpg"))).convert("RGB"))
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise RequestError(f"{path} is not a readable mosaic archive ({error}); fetch it again") from error
    height, width = tiled.shape[0] // side, tiled.shape[1] // side
    if height * width < len(labels):
        raise RequestError(f"{path}: {len(labels)} labels for {height * width} tiles in {split}.jpg")
    tiles = torch.from_numpy(tiled).view(height, side, width, side, 3).transpose(1, 2)
    return tiles.reshape(-1, side, side, 3)[: len(labels)], torch.from_numpy(labels.astype(np.int64))
