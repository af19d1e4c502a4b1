"""Archives, image folders, WILDS's format and text become rows; what cannot be read is named."""

import io
import json
import shutil
import zipfile

import continual_toys as toys
import numpy as np
import pytest
import torch
from PIL import Image

from lineshaft.continual.data import DATASETS, digits, mosaic, read_mosaic
from lineshaft.continual.images import Images
from lineshaft.continual.streams.fmow import Fmow
from lineshaft.continual.streams.folder import Folder, pixels
from lineshaft.continual.streams.satellite import Aid30, Sat7, by_block
from lineshaft.continual.streams.text import Asc19
from lineshaft.continual.streams.tiny import TinyImagenet
from lineshaft.engine import RequestError
from lineshaft.engine.data.dataset import dataset
from lineshaft.engine.testing import FakeRun

SIDE = 16


def archive(path, images, labels, columns, split="train"):
    """A mosaic of uint8 images [n, SIDE, SIDE, 3], rows filled up with white tiles."""
    rows = -(-len(images) // columns)
    tiled = np.full((rows * SIDE, columns * SIDE, 3), 255, np.uint8)
    for i, image in enumerate(images):
        top, left = i // columns * SIDE, i % columns * SIDE
        tiled[top : top + SIDE, left : left + SIDE] = image
    file = io.BytesIO()
    Image.fromarray(tiled).save(file, "JPEG", quality=95, subsampling=0)
    with zipfile.ZipFile(path, "a") as packed:
        packed.writestr(f"{split}.jpg", file.getvalue())
        packed.writestr(f"{split}_labels.u1", bytes(labels))
    return path


def test_tiles_come_back_in_order_and_unused_ones_do_not(tmp_path):
    shades = np.array([[10, 200, 30], [90, 20, 250], [0, 0, 0], [120, 130, 140], [60, 250, 250]], np.uint8)
    images = np.broadcast_to(shades[:, None, None], (5, SIDE, SIDE, 3))
    x, y = read_mosaic(archive(tmp_path / "m.zip", images, [3, 1, 4, 1, 5], columns=2), "train", SIDE)
    assert x.dtype == torch.uint8 and x.shape == (5, SIDE, SIDE, 3)
    assert (x.int() - torch.from_numpy(images.astype(int))).abs().max() <= 3  # JPEG
    assert y.tolist() == [3, 1, 4, 1, 5]


def test_an_image_is_not_transposed(tmp_path):
    ramp = np.tile(np.arange(SIDE, dtype=np.uint8)[:, None, None] * 15, (1, SIDE, 3))
    x, _ = read_mosaic(archive(tmp_path / "m.zip", ramp[None], [0], columns=1), "train", SIDE)
    assert x[0, -1, 0, 0] > 200 > x[0, 0, -1, 0]


def test_an_archive_brings_its_own_names_and_statistics(tmp_path):
    grey = np.full((4, SIDE, SIDE, 3), 51, np.uint8)
    path = archive(archive(tmp_path / "m.zip", grey, [0, 1, 0, 1], 2), grey, [1, 0, 1, 0], 2, "test")
    with zipfile.ZipFile(path, "a") as packed:
        packed.writestr("meta.json", json.dumps({"name": "m", "size": SIDE, "classes": ["a", "b"]}))
    images = mosaic(path)
    assert images.trained == 4 and len(images.y) == 8 and images.class_names == ("a", "b")
    assert images.mean == pytest.approx((0.2,) * 3, abs=0.01) and images.domains is None


@pytest.mark.parametrize("damage", ["no zip", "no split", "more labels than tiles"])
def test_a_damaged_archive_is_named(tmp_path, damage):
    path = archive(tmp_path / "m.zip", np.zeros((1, SIDE, SIDE, 3), np.uint8), [0] * 9, columns=1)
    if damage == "no zip":
        path.write_bytes(b"PK nothing")
    with pytest.raises(RequestError, match=r"m\.zip"):
        read_mosaic(path, "test" if damage == "no split" else "train", SIDE)


def test_digits_are_always_the_same_split():
    first, second = digits(), digits()
    assert torch.equal(first.x, second.x) and len(first.x) == 1797 and first.trained == 1200
    assert first.x.min() >= 0 and first.x.max() == 1
    assert (first.y[first.trained :].bincount() > 40).all()


def photos(root, count=8):
    """Two classes of images of all kinds and sizes."""
    modes = ["RGB", "L", "RGBA", "P"]
    for c, shade in (("cat", 40), ("dog", 200)):
        (root / c).mkdir(parents=True)
        for i in range(count):
            size = (20 + 7 * i, 50 - 3 * i)
            image = Image.new("RGB", size, (shade, shade, shade)).convert(modes[i % 4])
            image.save(root / c / f"{i}.png")
    return root


def test_a_folder_of_any_images_becomes_a_stream(tmp_path):
    stream = Folder(path=str(photos(tmp_path / "p")), side=8, classes_per_task=1).open(
        FakeRun(tmp_path / "r"), 0
    )
    assert stream.store.x.shape == (16, 8, 8, 3) and len(stream.tasks) == 2
    assert stream.class_names == ("cat", "dog")
    shades = {
        stream.class_names[int(y)]: int(x.float().mean()) for x, y in zip(stream.store.x, stream.store.y)
    }
    assert abs(shades["cat"] - 40) < 3 and abs(shades["dog"] - 200) < 3
    assert [len(t.test) for t in stream.tasks] == [2, 2]


def test_a_split_of_ones_own_and_domains_are_kept(tmp_path):
    for part, count in (("train", 6), ("test", 3)):
        photos(tmp_path / "own" / part, count)
    images = Folder(path=str(tmp_path / "own"), side=8).load(FakeRun(tmp_path / "r"))
    assert images.trained == 12 and len(images.y) == 18
    stream = Folder(path=str(tmp_path / "own"), side=8, kind="domains").open(FakeRun(tmp_path / "r"), 0)
    assert sorted(task.title for task in stream.tasks) == ["test", "train"]


def test_a_file_that_is_no_image_is_named(tmp_path):
    root = photos(tmp_path / "p")
    (root / "dog" / "broken.jpg").write_bytes(b"\xff\xd8 not much of a picture")
    with pytest.raises(RequestError, match=r"broken\.jpg cannot be read as an image"):
        Folder(path=str(root)).load(FakeRun(tmp_path / "r"))


def test_hidden_files_are_left_out(tmp_path):
    root = photos(tmp_path / "p")
    for name in ("._0.png", ".hidden.png"):
        (root / "dog" / name).write_bytes(b"what a desktop leaves behind")
    assert len(Folder(path=str(root), side=8).load(FakeRun(tmp_path / "r")).y) == 16


def test_sixteen_bits_and_floats_keep_their_shades(tmp_path):
    """Pillow's own conversion would clip them all to white or black."""
    values = np.linspace(0, 1, 64).reshape(8, 8)
    arrays = {
        "deep.png": (values * 65535).astype(np.uint16),
        "unit.tiff": values.astype(np.float32),
        "byte.tiff": (values * 255).astype(np.float32),
    }
    for name, array in arrays.items():
        Image.fromarray(array).save(tmp_path / name)
        found = pixels(tmp_path / name, 8)[..., 0].numpy()
        assert np.abs(found - values * 255).max() <= 1.5, name
    Image.fromarray((values * 1000 - 5).astype(np.float32)).save(tmp_path / "odd.tiff")
    with pytest.raises(
        RequestError, match=r"odd\.tiff \(mode F\) holds values from -5 to 995.*save it with 8 bits"
    ):
        pixels(tmp_path / "odd.tiff", 8)


@pytest.mark.parametrize(
    ("kind", "more", "message"),
    [
        ("classes", "p/empty", r"empty holds no images; fill it or remove it"),
        ("domains", "p/empty", r"cat holds no folder a class; .* use data\.kind=classes"),
    ],
)
def test_empty_folders_and_the_wrong_kind_are_refused(kind, more, message, tmp_path):
    root = photos(tmp_path / "p")
    (tmp_path / more).mkdir()
    with pytest.raises(RequestError, match=message):
        Folder(path=str(root), side=8, kind=kind).load(FakeRun(tmp_path / "r"))


def test_domains_read_as_classes_are_noticed(tmp_path):
    for domain in ("north", "south"):
        photos(tmp_path / "p" / domain, 4)
    with pytest.raises(RequestError, match=r"every folder holds the folders cat, dog; .*data\.kind=domains"):
        Folder(path=str(tmp_path / "p"), side=8).load(FakeRun(tmp_path / "r"))


@pytest.mark.parametrize("path", ["", "nowhere"])
def test_a_folder_that_is_not_there_is_named(path, tmp_path):
    with pytest.raises(RequestError, match="is not a folder"):
        Folder(path=path).load(FakeRun(tmp_path / "r"))


def test_fewer_than_two_classes_are_no_stream(tmp_path):
    root = photos(tmp_path / "p")
    shutil.rmtree(root / "dog")
    with pytest.raises(RequestError, match="needs one folder a class"):
        Folder(path=str(root)).load(FakeRun(tmp_path / "r"))


def wilds(root, regions=(1, 3), each=12):
    """A sample in the format of WILDS: a table and numbered images."""
    (root / "images").mkdir(parents=True)
    rows = ["split,region,timestamp,category"]
    for i in range(len(regions) * each):
        part = "train" if i // 2 % 3 else "id_val"
        region, year = regions[i * len(regions) // (len(regions) * each)], 2002 + i // 6 % 3
        rows.append(f"{part},{region},{year}-05-01T10:00:00Z,{('airport', 'zoo')[i % 2]}")
        Image.new("RGB", (30, 20), (i, i, i)).save(root / "images" / f"rgb_img_{i}.png")
    (root / "rgb_metadata.csv").write_text("\n".join(rows) + "\n")
    return root


def test_wilds_fmow_is_read_in_its_own_format(tmp_path):
    root = str(wilds(tmp_path / "fmow_v1.1"))
    run = FakeRun(tmp_path / "r")
    stream = Fmow(path=root, side=8, order="natural").open(run, 0)
    assert [task.title for task in stream.tasks] == ["Europe", "Americas"]
    assert stream.class_names == ("airport", "zoo") and len(stream.store.x) == 24
    years = Fmow(path=root, side=8, by="year", order="natural").open(run, 0)
    assert [task.title for task in years.tasks] == ["2002", "2003", "2004"]


def test_a_wrong_region_and_a_missing_table_are_named(tmp_path):
    with pytest.raises(RequestError, match="region 9 is none of 0 to 5"):
        Fmow(path=str(wilds(tmp_path / "w", (1, 9))), side=8).load(FakeRun(tmp_path / "r"))
    with pytest.raises(RequestError, match=r"rgb_metadata\.csv is not there"):
        Fmow(path=str(tmp_path)).load(FakeRun(tmp_path / "r"))


def test_a_block_split_keeps_neighbours_on_one_side(tmp_path):
    import lzma

    rows = ["file\tsplit\trow\tlabel\tdomain\tsource_image"]
    numbers = [7, 3, 12, 1, 9, 5, 11, 2]
    for i, number in enumerate(numbers):
        rows.append(f"toy.zip\t{'train' if i < 6 else 'test'}\t{i}\t0\t\tsrc:a_{number:03d}.jpg")
    (tmp_path / "s.xz").write_bytes(lzma.compress("\n".join(rows).encode()))
    images = Images(
        "toy", torch.tensor(numbers)[:, None].float(), torch.zeros(8, dtype=torch.int64), 6, ("a", "b")
    )
    moved = by_block(images, tmp_path / "s.xz", "toy")
    train, test = moved.x[: moved.trained, 0], moved.x[moved.trained :, 0]
    assert len(test) == 2 and train.max() < test.min()


def located(tmp_path):
    class Run(FakeRun):
        def data(self, found):
            from lineshaft.engine.data.dataset import locate

            return locate(found)

    return Run(tmp_path / "r")


@pytest.mark.data
@pytest.mark.parametrize(
    ("data", "shape", "tasks", "classes"),
    [
        (Sat7(), (5280, 64, 64, 3), 5, 7),
        (Sat7(split="block"), (5280, 64, 64, 3), 5, 7),
        (Aid30(), (10000, 64, 64, 3), 10, 30),
        (TinyImagenet(train_size=20, test_size=5), (1250, 64, 64, 3), 10, 50),
        (Asc19(), (13464, 64), 19, 40),
    ],
    ids=lambda v: getattr(v, "name", ""),
)
def test_real_data_have_their_counts(data, shape, tasks, classes, data_root, tmp_path):
    stream = data.open(located(tmp_path), 0)
    assert tuple(stream.store.x.shape) == shape and len(stream.tasks) == tasks and stream.classes == classes


@pytest.mark.data
def test_aspect_tasks_follow_a_published_order(data_root, tmp_path):
    first, second = (Asc19().open(located(tmp_path), seed) for seed in (0, 1))
    assert [t.title for t in first.tasks][:3] == ["laptop14", "rest14", "HitachiRouter"]
    assert second.tasks[0].title == "CanonG3"
    assert all(len(set(task.classes)) in (2, 3) for task in first.tasks)


def test_data_sets_are_found_by_name():
    assert all(dataset(found.name) is found for found in DATASETS)
    assert toys.vectors().trained_rows == 36
