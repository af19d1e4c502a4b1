"""A multi-layer perceptron for small vectors."""

from itertools import pairwise

from torch import nn

from lineshaft.continual.backbones.net import Net

WIDTH = 64


def mlp(inputs: int, classes: int, hidden: int = 256) -> Net:
    """inputs - 256 - 256 - 64 features, ReLU after each."""
    sizes = (inputs, hidden, hidden, WIDTH)
    layers = [layer for a, b in pairwise(sizes) for layer in (nn.Linear(a, b), nn.ReLU())]
    return Net(nn.Sequential(*layers), WIDTH, classes)
