"""A box of particles and fluids, stepped together.

Left of the window's edge all is particles. Beyond it the `fluids` are, until the window takes them over; what
crosses the edge as a particle stays one (form A) or is exchanged by `Exchange` (form B). Nothing beyond the
light cone moves.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from lineshaft.plasma.fluid.fluid import Fluid
from lineshaft.plasma.hybrid.conversion import convert
from lineshaft.plasma.hybrid.exchange import ABSORB_EVERY, Exchange
from lineshaft.plasma.hybrid.window import LOOK_EVERY, Window
from lineshaft.plasma.pic import fields
from lineshaft.plasma.pic.simulation import Simulation
from lineshaft.plasma.pic.species import Species


class Hybrid(Simulation):
    """A `Simulation` with fluids and a window; `seed` draws the momenta of what becomes particles."""

    def __init__(
        self,
        cells: int,
        dx: float,
        species: Sequence[Species],
        fluids: Sequence[Fluid],
        window: Window,
        seed: int = 0,
        exchanges: Sequence[Exchange] = (),
        **given: Any,
    ) -> None:
        self.fluids: list[Fluid] = list(fluids)
        self.window, self.seed, self.exchanges = window, seed, list(exchanges)
        super().__init__(cells, dx, species, seed=seed, **given)

    def step(self, entering: np.ndarray) -> None:
        grid = self.fields
        for fluid in self.fluids:
            fluid.move(grid.nodes, grid.current, self.dx, self.reached)
        for one in self.species:
            self.push(one)
        for fluid in self.fluids:
            fluid.work(grid.along, grid.current, self.dx)
        fields.advance(grid, self.dx, entering, self.ends, self.reached)
        if self.window.edge < self.reached:
            self.exchange()
        if (self.steps + 1) % LOOK_EVERY == 0:
            self.follow()

    def exchange(self) -> None:
        """Let the fluids emit into the window, and absorb what is thermal behind its edge."""
        for one in self.exchanges:
            self.fields.along[self.window.edge - 1] += self.dx * one.emit()
            if (self.steps + 1) % ABSORB_EVERY == 0:
                one.absorb()

    def follow(self) -> None:
        """Move the window's edge to where it should be."""
        edge = self.window.wanted([one for one in self.species if one.charge > 0 and one.coarse == 1])
        if edge > self.window.edge:
            self.extend(edge)

    def extend(self, edge: int) -> None:
        """Turn the fluids left of the new edge into particles; Ex follows their charge."""
        first, self.window.edge = self.window.edge, edge
        moved = np.zeros(edge - first + 1)
        for fluid in self.fluids:
            one = self.heir(fluid)
            rng = np.random.default_rng([self.seed, edge, *fluid.name.encode()])
            drawn, charge = convert(fluid, edge, one.weight, rng)
            one.insert(*drawn)
            moved += charge
        self.fields.along[first:edge] += self.dx * np.cumsum(moved)[:-1]
        fields.refresh(self.fields, False, self.fields.along.size)

    def heir(self, fluid: Fluid) -> Species:
        """The class of weight that the fluid's particles join: the heaviest on the box's own cells."""
        return max((one for one in self.groups()[fluid.name] if one.coarse == 1), key=lambda one: one.weight)

    def state(self) -> dict:
        kept = [
            [[torch.tensor(x) for x in state["arrays"]], state["numbers"]]
            for state in (fluid.state_dict() for fluid in self.fluids)
        ]
        owed = [[one.owed.tolist(), [int(x) for x in one.noise.view(np.int64)]] for one in self.exchanges]
        return {**super().state(), "fluids": kept, "edge": self.window.edge, "owed": owed}

    def restore(self, state: dict) -> None:
        super().restore(state)
        self.window.edge = state["edge"]
        for fluid, (arrays, numbers) in zip(self.fluids, state["fluids"]):
            fluid.restore({"arrays": [x.numpy() for x in arrays], "numbers": numbers})
        for one, (owed, noise) in zip(self.exchanges, state["owed"]):
            one.owed[:], one.noise[:], one.room = owed, np.array(noise, np.int64).view(np.uint64), 0
