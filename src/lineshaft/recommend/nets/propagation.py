"""Messages over the whole item graph, each gated by what is known of its edge.

    y_i = sum over edges (i, j) of  g_ij c_ij z_j
    g = 2 sigmoid(MLP(edge features)),  c = 1 / sqrt(d_i d_j)

Edge features: log weight, cosine of the ends' texts, whether anything is written about the pair, and what is
written (principal axes of its encoding). The graph is symmetric: every edge runs both ways. The paper's
public code keeps only edges inside a batch of 100 items, about three of them; here no edge is dropped.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lineshaft.recommend.catalogue.catalogue import Catalogue, Edges
from lineshaft.recommend.nets.device import csr
from lineshaft.recommend.text.encoders import Encoder

AXES = 32
"""Principal axes kept of the edges' texts."""


@dataclass(frozen=True)
class Graph:
    """Edges sorted by where their message arrives; tensors on the training device."""

    to: Tensor
    source: Tensor
    scale: Tensor
    """(edges,) 1 / sqrt of both degrees."""
    features: Tensor
    """(edges, 3 + AXES)."""
    starts: Tensor
    """(items + 1,) first edge of each item."""
    turned: Tensor
    """(edges,) for every edge the place of the same edge the other way."""
    standing: np.ndarray
    """(items,) log of 1 + the weight of all edges of an item."""
    items: int


def graph(
    catalogue: Catalogue,
    texts: np.ndarray,
    encoder: Encoder,
    written: bool,
    shuffled: int | None,
    device: torch.device,
) -> Graph:
    """`texts` (items, width); `written`: use the edges' texts; `shuffled`: seed of a false graph."""
    edges, items = catalogue.edges, len(catalogue)
    source, target = edges.source.astype(np.int64), edges.target.astype(np.int64)
    known = _features(edges, texts, encoder, written)
    if shuffled is not None:
        other = np.random.default_rng(shuffled).permutation(items)
        source, target = other[source], other[target]
    to, come = np.concatenate([source, target]), np.concatenate([target, source])
    standing = np.log1p(np.bincount(to, np.tile(edges.weight, 2), items)).astype(np.float32)
    _, first = np.unique(to * items + come, return_index=True)
    to, come, known = to[first], come[first], np.concatenate([known, known])[first]
    known = _symmetric(to, come, known)
    degree = np.maximum(np.bincount(to, minlength=items), 1)
    parts = (
        to,
        come,
        (1 / np.sqrt(degree[to] * degree[come])).astype(np.float32),
        known.astype(np.float32),
        np.r_[0, np.cumsum(np.bincount(to, minlength=items))],
        np.lexsort((to, come)),
    )
    tensors = [torch.from_numpy(np.ascontiguousarray(part)).to(device) for part in parts]
    to_, from_, scale, features, starts, turned = tensors
    return Graph(to_, from_, scale, features, starts, turned, standing, items)


def _features(edges: Edges, texts: np.ndarray, encoder: Encoder, written: bool) -> np.ndarray:
    length = np.linalg.norm(texts, axis=1)
    ends = (texts[edges.source] * texts[edges.target]).sum(1)
    ends = ends / np.maximum(length[edges.source] * length[edges.target], 1e-9)
    has = np.array([bool(text) for text in edges.texts], bool) if edges.texts else np.zeros(len(edges), bool)
    found = np.zeros((len(edges), 3 + AXES), np.float32)
    found[:, 0], found[:, 1], found[:, 2] = _scaled(np.log1p(edges.weight)), 3 * ends, has
    if written and has.sum() > 1:
        own = encoder.encode([text for text in edges.texts if text])
        axes = np.linalg.svd(own - own.mean(0), full_matrices=False)[2][:AXES].T
        found[has, 3 : 3 + axes.shape[1]] = 5 * (own - own.mean(0)) @ axes
    if not written:
        found[:, 2] = 0
    return found


def _scaled(values: np.ndarray) -> np.ndarray:
    """Over their deviation; where all are equal as they are (a division by zero makes the whole net NaN)."""
    spread = values.std()
    return values / spread if spread > 1e-6 else values


def _symmetric(to: np.ndarray, come: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Both directions of a pair get the features of the one that says more."""
    back = known[np.lexsort((to, come))]
    return np.where(back[:, 2:3] > known[:, 2:3], back, known)


class Messages(torch.autograd.Function):
    """gates @ z as one sparse product over all edges, with gradients to gates and z."""

    @staticmethod
    def forward(context: Any, gates: Tensor, z: Tensor, along: Graph) -> Tensor:
        context.save_for_backward(gates, z)
        context.along = along
        return _sparse(along, gates) @ z

    @staticmethod
    def backward(context: Any, arriving: Tensor) -> tuple[Tensor, Tensor, None]:
        gates, z = context.saved_tensors
        along, arriving = context.along, arriving.contiguous()
        by_gate = (arriving[along.to] * z[along.source]).sum(1)
        return by_gate, _sparse(along, gates[along.turned]) @ arriving, None


def passed(gates: Tensor, z: Tensor, along: Graph) -> Tensor:
    """One step of messages."""
    found: Tensor = Messages.apply(gates, z, along)  # type: ignore[no-untyped-call]
    return found


def _sparse(along: Graph, values: Tensor) -> Tensor:
    return csr(along.starts, along.source, values, (along.items, along.items))


class Propagation(nn.Module):
    """One and two steps of gated messages added to what an item has of its own."""

    def __init__(self, along: Graph) -> None:
        super().__init__()
        self.along = along
        self.gate = nn.Sequential(nn.Linear(along.features.shape[1], 16), nn.Tanh(), nn.Linear(16, 1))
        self.step = nn.Parameter(torch.tensor([0.5, 0.2]))

    def forward(self, z: Tensor) -> Tensor:
        """(items, width) -> the same."""
        gates = 2 * torch.sigmoid(self.gate(self.along.features))[:, 0] * self.along.scale
        once = passed(gates, z.contiguous(), self.along)
        found: Tensor = z + self.step[0] * once + self.step[1] * passed(gates, once, self.along)
        return found
