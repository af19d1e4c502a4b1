"""Mosaic archives become the images they were made of; the real CIFAR-10 has its published statistics."""

import io
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from lineshaft.continual.data import CIFAR10, cifar10, digits, read_mosaic
from lineshaft.engine import RequestError

SIDE = 16


def archive(path: Path, images: np.ndarray, labels: list[int], columns: int) -> Path:
    """A mosaic of uint8 images [n, SIDE, SIDE, 3], rows filled up with white tiles."""
    rows = -(-len(images) // columns)
    mosaic = np.full((rows * SIDE, columns * SIDE, 3), 255, np.uint8)
    for i, image in enumerate(images):
        top, left = i // columns * SIDE, i % columns * SIDE
        mosaic[top : top + SIDE, left : left + SIDE] = image
    file = io.BytesIO()
    Image.fromarray(mosaic).save(file, "JPEG", quality=95, subsampling=0)
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("train.jpg", file.getvalue())
        packed.writestr("train_labels.u1", bytes(labels))
    return path


def test_tiles_come_back_in_order_and_unused_ones_do_not(tmp_path: Path) -> None:
    shades = np.array([[10, 200, 30], [90, 20, 250], [0, 0, 0], [120, 130, 140], [60, 250, 250]], np.uint8)
    images = np.broadcast_to(shades[:, None, None], (5, SIDE, SIDE, 3))
    x, y = read_mosaic(archive(tmp_path / "m.zip", images, [3, 1, 4, 1, 5], columns=2), "train", SIDE)
    assert x.dtype == torch.uint8 and x.shape == (5, SIDE, SIDE, 3)
    assert (x.int() - torch.from_numpy(images.astype(int))).abs().max() <= 3  # JPEG
    assert y.tolist() == [3, 1, 4, 1, 5]


def test_an_image_is_not_transposed(tmp_path: Path) -> None:
    ramp = np.tile(np.arange(SIDE, dtype=np.uint8)[:, None, None] * 15, (1, SIDE, 3))
    x, _ = read_mosaic(archive(tmp_path / "m.zip", ramp[None], [0], columns=1), "train", SIDE)
    assert x[0, -1, 0, 0] > 200 > x[0, 0, -1, 0]


@pytest.mark.parametrize("damage", ["no zip", "no split", "more labels than tiles"])
def test_a_damaged_archive_is_named(tmp_path: Path, damage: str) -> None:
    path = archive(tmp_path / "m.zip", np.zeros((1, SIDE, SIDE, 3), np.uint8), [0] * 9, columns=1)
    if damage == "no zip":
        path.write_bytes(b"PK nothing")
    with pytest.raises(RequestError, match=r"m\.zip"):
        read_mosaic(path, "test" if damage == "no split" else "train", SIDE)


def test_digits_are_always_the_same_split() -> None:
    first, second = digits(), digits()
    assert torch.equal(first.x, second.x) and len(first.x) == 1797 and first.trained == 1200
    assert first.x.min() >= 0 and first.x.max() == 1
    assert (first.y[first.trained :].bincount() > 40).all()


@pytest.mark.data
def test_cifar10_has_its_counts_and_channel_statistics(data_root: Path) -> None:
    began = time.process_time()
    images = cifar10(data_root / CIFAR10.folder)
    assert time.process_time() - began < 10
    assert images.x.shape == (60_000, 32, 32, 3)
    assert images.y[:50_000].bincount().tolist() == [5000] * 10
    assert images.y[50_000:].bincount().tolist() == [1000] * 10
    shades = torch.arange(256) / 255
    for channel, (mean, std) in enumerate(zip(images.mean, images.std, strict=True)):
        share = images.x[: images.trained, ..., channel].flatten().bincount(minlength=256) / (50_000 * 1024)
        assert float(share @ shades) == pytest.approx(mean, abs=5e-4)
        assert float(share @ (shades - mean) ** 2) ** 0.5 == pytest.approx(std, abs=5e-4)
