"""The kinetic window: left of its edge ions are particles; it moves ahead of the fast ones and never back."""

from dataclasses import dataclass

import numpy as np

from lineshaft.plasma.pic.compile import kernel
from lineshaft.plasma.pic.kernels.cpu import slot
from lineshaft.plasma.pic.kernels.vectors import lanes
from lineshaft.plasma.pic.lists import BLOCK, Lists
from lineshaft.plasma.pic.species import Species

LOOK_EVERY = 20  # steps
WIDE = 20  # cells by which the edge moves


@dataclass
class Window:
    """Cells left of `edge` are the window; `end` is where the edge stays for good.

    The edge keeps `lead` cells ahead of the `fast_ions`-th ion from the right with u_x above `speed` (c).
    """

    edge: int
    end: int
    lead: int
    speed: float = 0.02
    fast_ions: int = 20

    def wanted(self, ions: list[Species]) -> int:
        """Where the edge should be: `edge` or whole stretches beyond it."""
        fastest = max((front(one.lists, one.cells, self.speed, self.fast_ions) for one in ions), default=-1)
        if fastest < 0:
            return self.edge
        stretches = -(-(fastest + self.lead - self.edge) // WIDE)
        return min(self.edge + max(stretches, 0) * WIDE, max(self.end, self.edge))


@kernel
def front(lists: Lists, cells: int, speed: float, least: int) -> int:
    """The last cell with at least `least` particles of u_x > speed in it and beyond, or -1."""
    seen, lane = 0, lanes(lists.pool)
    for cell in range(cells - 1, -1, -1):
        block = cell // BLOCK
        row = lists.base[block] + (cell - block * BLOCK) * lists.width[block]
        for i in range(lists.count[cell]):
            if lists.pool[slot(lists, row, i) + lane] > speed:
                seen += 1
        if seen >= least:
            return cell
    return -1


def occupied(densities: list[np.ndarray]) -> tuple[int, int]:
    """First cell with plasma and the cell behind the last."""
    held = np.flatnonzero(sum(densities) > 0)
    return int(held[0]), int(held[-1]) + 1
