"""Tasks share no row, hold their own classes only, keep a tenth for validation; bad data are named."""

import continual_toys as toys
import pytest
import torch

from lineshaft.continual.data import digits
from lineshaft.continual.images import Images
from lineshaft.continual.seeds import generator
from lineshaft.continual.streams.digits import Digits
from lineshaft.continual.streams.split import build, by_class, by_domain
from lineshaft.continual.streams.stream import Stream
from lineshaft.engine import RequestError
from lineshaft.engine.testing import FakeRun

PARTS = ("train", "val", "test")


def planted(each: int = 40, classes: int = 6) -> Images:
    """`each` training and 10 test rows of every class; a row's first value is its own number."""
    y = torch.cat([torch.arange(classes).repeat(each), torch.arange(classes).repeat(10)])
    x = torch.stack([torch.arange(len(y)).float(), y.float()], 1)
    return Images("planted", x, y, trained=each * classes, class_names=tuple("abcdefghij"[:classes]))


def numbers(stream: Stream, part: str) -> list[float]:
    return [float(n) for task in stream.tasks for n in stream.store.x[task.part(part), 0]]


def test_every_row_lies_in_one_part_of_one_task():
    stream = toys.stream(planted())
    found = [n for part in PARTS for n in numbers(stream, part)]
    assert len(found) == len(set(found)) == 300
    assert max(numbers(stream, "train") + numbers(stream, "val")) < 240 <= min(numbers(stream, "test"))


@pytest.mark.parametrize("images", [planted(), digits()], ids=lambda i: i.name)
def test_tasks_hold_their_classes_and_a_tenth_validates(images):
    stream = toys.stream(images, seed=3)
    assert [task.classes for task in stream.tasks] == [(c, c + 1) for c in range(0, stream.classes, 2)]
    for task in stream.tasks:
        for part in PARTS:
            rows = task.part(part)
            assert set(stream.store.y[rows].tolist()) == set(task.classes)
            assert (stream.store.task[rows] == task.id).all()
        assert len(task.val) / (len(task.val) + len(task.train)) == pytest.approx(0.1, abs=0.01)


def test_the_seed_chooses_validation_and_never_test_rows():
    first, again, other = (toys.stream(planted(), seed=seed) for seed in (0, 0, 1))
    assert numbers(first, "train") == numbers(again, "train")
    assert set(numbers(first, "val")) != set(numbers(other, "val"))
    assert set(numbers(first, "test")) == set(numbers(other, "test"))


def test_the_order_of_classes_belongs_to_the_seed(tmp_path):
    run = FakeRun(tmp_path)
    titles = [[task.title for task in Digits().open(run, seed).tasks] for seed in (0, 0, 1, 2)]
    assert titles[0] == titles[1] and titles[0] != titles[2] != titles[3]
    natural = Digits(order="natural").open(run, 5)
    assert [task.classes for task in natural.tasks] == [(0, 1), (2, 3), (4, 5), (6, 7), (8, 9)]
    given = Digits(order=(9, 8, 7, 6, 5, 4, 3, 2, 1, 0)).open(run, 0)
    assert given.tasks[0].classes == (8, 9)


def test_generators_for_different_purposes_start_with_different_draws():
    purposes = ("split", "training", "order", "shuffled labels", "weights")
    draws = [torch.rand(4, generator=generator(0, purpose)) for purpose in purposes]
    assert all(not torch.equal(a, b) for i, a in enumerate(draws) for b in draws[:i])
    assert torch.equal(draws[0], torch.rand(4, generator=generator(0, "split")))


@pytest.mark.parametrize(
    ("classes", "sizes", "expected"), [(3, 2, [2, 1]), (6, 4, [4, 2]), (6, (1, 3, 2), [1, 3, 2])]
)
def test_any_number_of_classes_a_task(classes, sizes, expected):
    images = planted(classes=classes)
    groups, titles = by_class(images, sizes, list(range(classes)))
    stream = build(images, groups, titles, seed=0)
    assert [len(task.classes) for task in stream.tasks] == expected
    assert stream.allowed.sum(1).tolist() == expected


def test_impossible_orders_and_sizes_are_named():
    with pytest.raises(RequestError, match="each of 6 classes once"):
        by_class(planted(), 2, [0, 1, 2, 3, 4, 4])
    with pytest.raises(RequestError, match="adds up to 5, there are 6"):
        by_class(planted(), (2, 3), list(range(6)))
    with pytest.raises(RequestError, match="no domains"):
        by_domain(planted(), [0])


@pytest.mark.parametrize("label", [6, -1])
def test_a_label_outside_the_names_is_refused(label):
    images = planted()
    images.y[17] = label
    with pytest.raises(RequestError, match=rf"row 17 has label {label}, there are names for 0 to 5"):
        toys.stream(images)


def test_sizes_are_rows_a_class():
    stream = toys.stream(planted(), 3, train_size=20, test_size=4)
    for task in stream.tasks:
        for label in task.classes:
            counts = [int((stream.store.y[task.part(part)] == label).sum()) for part in PARTS]
            assert counts == [18, 2, 4]
    assert len(stream.store.x) == 6 * 24  # what is not used is not stored


def test_shuffled_labels_keep_the_counts_of_a_task_and_the_true_classes():
    images = planted()
    stream, plain = (toys.stream(images, shuffled=shuffled) for shuffled in (True, False))
    store = stream.store
    assert torch.equal(store.y, store.x[:, 1].long()) and torch.equal(plain.store.labels, plain.store.y)
    for task in stream.tasks:
        assert torch.equal(store.labels[task.train].bincount(), store.y[task.train].bincount())
        assert 0.3 < (store.labels[task.train] == store.y[task.train]).float().mean() < 0.7
        assert torch.equal(store.labels[task.val], store.y[task.val])


def test_a_class_without_enough_rows_is_named():
    images = planted()
    images.y[:240][images.y[:240] == 4] = 5
    with pytest.raises(RequestError, match="class e in task 3"):
        toys.stream(images)


def test_an_empty_task_is_named():
    images = planted()
    groups = torch.zeros(len(images.y), dtype=torch.int64)
    with pytest.raises(RequestError, match=r"task 2 \(nothing\) is empty"):
        build(images, groups, ["all", "nothing"], seed=0)


def test_domains_have_all_classes_and_their_own_rows():
    images = planted()
    domains = torch.arange(300) % 3
    images = Images(**{**vars(images), "domains": domains, "domain_names": ("x", "y", "z")})
    groups, titles = by_domain(images, [2, 0, 1])
    stream = build(images, groups, titles, seed=0)
    assert [task.title for task in stream.tasks] == ["z", "x", "y"]
    for task, domain in zip(stream.tasks, (2, 0, 1)):
        rows = stream.store.x[torch.cat([task.train, task.val, task.test]), 0].long()
        assert (domains[rows] == domain).all()
