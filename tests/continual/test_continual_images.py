"""What users hand over: brought into one form, or refused in one line that says what to do."""

import numpy as np
import pytest
import torch
from torch import nn

from lineshaft.continual.backbones.net import Net, checked
from lineshaft.continual.images import Images
from lineshaft.continual.streams.split import build, by_class
from lineshaft.engine import RequestError

Y = torch.arange(3).repeat(8)
X = torch.eye(3)[Y] + 0.1
PIXELS = torch.randint(0, 256, (24, 6, 5, 3), generator=torch.Generator().manual_seed(0)).to(torch.uint8)


def images(x=X, y=Y, trained=12, names=("a", "b", "c"), **more):
    return Images("mine", x, y, trained, names, **more)


@pytest.mark.parametrize(
    "x",
    [X.double(), X.half(), X.numpy(), X.tolist(), X > 0.5],
    ids=["double", "half", "numpy", "list", "bool"],
)
def test_vectors_become_float32(x):
    assert images(x).x.dtype == torch.float32 and images(x).x.shape == X.shape


@pytest.mark.parametrize(
    "y",
    [Y.int(), Y.float(), Y.numpy(), Y.tolist(), np.array(list("abc"))[Y], [*"abc"] * 8],
    ids=["int32", "float", "numpy", "list", "numpy text", "text"],
)
def test_labels_become_numbers(y):
    assert torch.equal(images(y=y).y, Y) and images(y=y).y.dtype == torch.int64


def test_grey_pixels_get_a_channel_and_statistics_are_measured():
    found = images(PIXELS[..., 0])
    assert found.x.shape == (24, 6, 5, 1) and len(found.mean) == len(found.std) == 1
    measured = images(PIXELS)
    assert measured.mean == pytest.approx((PIXELS[:12].float() / 255).mean((0, 1, 2)).tolist(), abs=1e-5)
    assert images(PIXELS, mean=(0.5,) * 3, std=(0.2,) * 3).std == (0.2,) * 3


REFUSED = {
    "row 5 of x is not finite": {"x": X.masked_fill(torch.arange(24)[:, None] == 5, float("nan"))},
    "row 0 of y is 'z', not one of a, b, c": {"y": list("zbc") * 8},
    "y holds numbers that are not whole": {"y": Y + 0.5},
    r"y has shape \[20\], x has 24 rows": {"y": Y[:20]},
    "trained=99, there are 24 rows": {"trained": 99},
    "class_names holds 'a' twice": {"names": ("a", "a", "b")},
    "channels first": {"x": PIXELS.permute(0, 3, 1, 2).expand(24, 3, 6, 5)},
    r"pixels must be uint8": {"x": PIXELS.float()},
    r"use x\.float\(\) for vectors": {"x": X.int()},
    "use \\[n, height, width, channels\\]": {"x": PIXELS[:, None]},
    "2 means and 3 deviations for 3 channels": {"x": PIXELS, "mean": (0.5,) * 2, "std": (0.2,) * 3},
    "row 0 has domain 3": {"domains": torch.full((24,), 3), "domain_names": ("here", "there")},
    "x cannot become a tensor": {"x": [[1.0, 2.0], [3.0]]},
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_cannot_be_meant_is_refused_with_a_way_out(message):
    with pytest.raises(RequestError, match=message):
        images(**REFUSED[message])


@pytest.mark.parametrize("sizes", [0, -1, (2, 0, 1)])
def test_a_task_needs_a_class(sizes):
    with pytest.raises(RequestError, match=r"classes_per_task=.*every task needs a class"):
        by_class(images(), sizes, [0, 1, 2])


def stream():
    return build(images(), *by_class(images(), 1, [0, 1, 2]), seed=0)


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (nn.Linear(3, 4), "built a Linear; wrap it"),
        (Net(nn.Linear(3, 4), 5), r"Linear maps two rows to \[2, 4\], it must be \[2, 5\]"),
        (Net(nn.LSTM(3, 4), 4), "LSTM maps two rows to tuple"),
        (Net(nn.Unflatten(1, (3, 1)), 3), r"maps two rows to \[2, 3, 1\].*pool over positions"),
    ],
)
def test_a_network_that_gives_no_features_is_refused(net, message):
    with pytest.raises(RequestError, match=message):
        checked(net, stream())


def test_the_check_of_a_network_leaves_it_as_it_is():
    net = Net(nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout()), 4)
    net.body[1].eval()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    assert checked(net, stream()) is net
    assert [module.training for module in net.body] == [True, False, True]
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())
