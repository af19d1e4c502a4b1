"""Tasks share no image, hold their own classes only, and keep a tenth of each for validation."""

import pytest
import torch

from lineshaft.continual.data import Images, digits
from lineshaft.continual.streams import Stream, class_incremental
from lineshaft.engine import RequestError

PARTS = ("train", "val", "test")


def planted(each: int = 40, classes: int = 6) -> Images:
    """`each` training and 10 test images of every class; an image's first value is its own number."""
    y = torch.cat([torch.arange(classes).repeat(each), torch.arange(classes).repeat(10)])
    x = torch.stack([torch.arange(len(y)).float(), y.float()], 1)
    return Images("planted", x, y, trained=each * classes, class_names=tuple("abcdef"[:classes]))


def numbers(stream: Stream, part: str) -> list[float]:
    return [float(n) for task in stream.tasks for n in stream.store.x[task.part(part), 0]]


def test_every_image_lies_in_one_part_of_one_task() -> None:
    stream = class_incremental(planted(), 2, seed=0)
    found = [n for part in PARTS for n in numbers(stream, part)]
    assert len(found) == len(set(found)) == 300
    assert max(numbers(stream, "train") + numbers(stream, "val")) < 240 <= min(numbers(stream, "test"))


@pytest.mark.parametrize("images", [planted(), digits()], ids=lambda i: i.name)
def test_tasks_hold_their_classes_and_a_tenth_validates(images: Images) -> None:
    stream = class_incremental(images, 2, seed=3)
    assert [task.classes for task in stream.tasks] == [(c, c + 1) for c in range(0, stream.classes, 2)]
    for task in stream.tasks:
        for part in PARTS:
            assert set(stream.store.y[task.part(part)].tolist()) == set(task.classes)
        assert len(task.val) / (len(task.val) + len(task.train)) == pytest.approx(0.1, abs=0.01)


def test_the_seed_chooses_validation_and_never_test_images() -> None:
    first, again, other = (class_incremental(planted(), 2, seed=seed) for seed in (0, 0, 1))
    assert numbers(first, "train") == numbers(again, "train")
    assert set(numbers(first, "val")) != set(numbers(other, "val"))
    assert set(numbers(first, "test")) == set(numbers(other, "test"))


def test_sizes_are_images_a_class() -> None:
    stream = class_incremental(planted(), 3, seed=0, train_size=20, test_size=4)
    for task in stream.tasks:
        for label in task.classes:
            counts = [int((stream.store.y[task.part(part)] == label).sum()) for part in PARTS]
            assert counts == [18, 2, 4]
    assert len(stream.store.x) == 6 * 24  # what is not used is not stored


def test_shuffled_labels_keep_the_counts_of_a_task_and_the_true_classes() -> None:
    images = planted()
    stream, plain = (class_incremental(images, 2, seed=0, shuffled=shuffled) for shuffled in (True, False))
    store = stream.store
    assert torch.equal(store.y, store.x[:, 1].long()) and torch.equal(plain.store.labels, plain.store.y)
    for task in stream.tasks:
        assert torch.equal(store.labels[task.train].bincount(), store.y[task.train].bincount())
        assert 0.3 < (store.labels[task.train] == store.y[task.train]).float().mean() < 0.7
        assert torch.equal(store.labels[task.val], store.y[task.val])


def test_a_class_without_enough_images_is_named() -> None:
    images = planted()
    images.y[images.y == 4] = 5
    with pytest.raises(RequestError, match="class e"):
        class_incremental(images, 2, seed=0)
