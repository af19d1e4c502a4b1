"""The numbers of a gate, and how they put the parts' normalised scores together (equations: see `gate`)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lineshaft.recommend.models import gate


@dataclass(frozen=True)
class Weights:
    """Features are the parts, then the rare twins of those that have one."""

    rated: np.ndarray
    """(size classes, features)."""
    unrated: np.ndarray
    place: np.ndarray
    """(size classes, 2): a and b of unrated items."""
    rare: tuple[int, ...]
    """The parts that have a twin, in the order of the twins."""
    parts: int

    def used(self, part: int) -> bool:
        return bool(np.any(self.rated[:, self.columns(part)]) or np.any(self.unrated[:, self.columns(part)]))

    def columns(self, part: int) -> list[int]:
        """The part's feature and its twin's."""
        return [part] + [self.parts + n for n, own in enumerate(self.rare) if own == part]

    def narrowed(self) -> "Weights":
        """Without the parts that no basket uses."""
        kept = [part for part in range(self.parts) if self.used(part)]
        twins = [n for n, own in enumerate(self.rare) if own in kept]
        columns = kept + [self.parts + n for n in twins]
        rare = tuple(kept.index(self.rare[n]) for n in twins)
        return Weights(self.rated[:, columns], self.unrated[:, columns], self.place, rare, len(kept))

    def mixed(self, z: Sequence[Tensor], sizes: np.ndarray, likes: np.ndarray) -> Tensor:
        """Scores (baskets, items) of z, one (baskets, items) a part; sizes: (baskets,) size classes.

        likes: (items,). The items may be some of the catalogue's; everything is computed where z lies.
        """
        where = z[0].device
        fresh = torch.from_numpy(likes == 0).to(where)
        damping = torch.from_numpy(damped(likes)).to(where)
        total = self._summed(self.rated, z, sizes, damping)
        if bool(fresh.any()):
            late = self._summed(self.unrated, [part[:, fresh] for part in z], sizes, damping[fresh])
            a, b = torch.from_numpy(self.place[sizes].T.astype(np.float32)).to(where)
            total[:, fresh] = a[:, None] * late + b[:, None]
        return total

    def _summed(self, table: np.ndarray, z: Sequence[Tensor], sizes: np.ndarray, damping: Tensor) -> Tensor:
        weights = torch.from_numpy(table[sizes].astype(np.float32)).to(z[0].device)
        total = torch.zeros(z[0].shape, device=z[0].device)
        for number, part in enumerate(z):
            own, *twins = self.columns(number)
            values = part.float()
            total += weights[:, own, None] * values
            for other in twins:
                total += weights[:, other, None] * (values * damping).clamp_(min=gate.LOW)
        return total


def damped(likes: np.ndarray) -> np.ndarray:
    """(items,) what an item's scores are multiplied by in a rare twin: min(1, 2 / (1 + likes))."""
    return np.minimum(1, 2 / (1 + likes)).astype(np.float32)


def twin(z: np.ndarray, likes: np.ndarray) -> np.ndarray:
    """A part's scores once more, for items that few have rated."""
    return np.asarray(np.maximum(z * damped(likes), gate.LOW))
