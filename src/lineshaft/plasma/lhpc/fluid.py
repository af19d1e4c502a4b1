"""The fluid: six moments of each group on the nodes, stepped by a classical core, a net, or both.

The core is first order: a relativistic Lorentz kick with gamma^2 = 1 + u^2 + variances, then Rusanov fluxes.
The net is called every MACRO steps; what it says (a number flux through each face, a transverse current,
changes of momenta and squares) is spread evenly over them. The number moves by the flux alone, limited so
that no node gives more than it has, and the current along x is that flux: Gauss's law holds by construction,
whatever the net says. Its outputs are bounded by what the local plasma and field could do ("local units"):
unbounded, the error feeds on itself; on a global scale, the cold bulk heats (`docs/plasma.md` has the
figures).
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lineshaft.plasma.lhpc.moments import conserved, features, field_features, primitive
from lineshaft.plasma.lhpc.nets import Cnn, Fno
from lineshaft.plasma.lhpc.target import MACRO, Constants
from lineshaft.plasma.lhpc.waves import nodes

OUTPUTS = 8  # flux of number, transverse current, changes of n, n ux, n uy, n ux^2, n uy^2, n uz^2
BOUND = 10.0  # of an output, in units of its usual size
Correction = tuple[Tensor, Tensor, Tensor, Tensor | None]  # of a macro step: flux, jy, sources, fields


class Fluid(nn.Module):
    """`core`: step classically as well; `kind`: cnn, fno or none; `learned_fields`: E and B are outputs too.

    `exchanging` groups (thermal and not, of one species) give each other particles as the net says: what one
    loses the other gains, so that Gauss's law of the sum does not notice.
    """

    scale: Tensor  # [groups, 8] of the outputs
    unit: Tensor  # [groups, 8] usual sizes in local units
    spread: Tensor  # [groups, 6] usual changes of the moments
    flow: Tensor  # [2, groups] usual currents
    field_scale: Tensor  # [3] usual changes of the fields

    def __init__(
        self,
        c: Constants,
        groups: int,
        members: int,
        core: bool = True,
        kind: str = "cnn",
        width: int = 48,
        learned_fields: bool = False,
    ) -> None:
        super().__init__()
        self.c, self.groups, self.core = c, groups, core
        self.learned_fields, self.exchanging = learned_fields, groups == 4
        outputs = OUTPUTS * groups + (3 if learned_fields else 0)
        makes: dict[str, type[Cnn] | type[Fno]] = {"cnn": Cnn, "fno": Fno}
        self.net = makes[kind](members, 8 * groups + 8, outputs, width) if kind in makes else None
        for name, shape in (("scale", (groups, 8)), ("spread", (groups, 6)), ("flow", (2, groups))):
            self.register_buffer(name, torch.ones(shape))
        self.register_buffer("unit", torch.ones(groups, 8))
        self.register_buffer("field_scale", torch.ones(3))

    def local(
        self, state: Tensor, along: Tensor, right: Tensor, left: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Density, flux and momentum that can reach a node within a macro step, [B, groups, n + 1] each."""
        c, reach = self.c, MACRO + 2
        n, ux, uy, variance = primitive(state, c)
        ex, ey, _ = nodes(along, right, left)
        kick = (ex.abs() + ey.abs())[:, None] * (c.dx * MACRO / 2 / c.mass)
        speed = (variance.sum(2).sqrt() + ux.abs() + uy.abs() + kick) * (n > 2 * c.vacuum)
        bound = c.speed_bound
        speed = bound * torch.tanh(F.max_pool1d(speed, 2 * reach + 1, 1, reach) / bound) + 0.3 * c.unit
        n = F.max_pool1d(n.clamp_min(0), 2 * reach + 1, 1, reach) + 0.05
        return n, n * speed * torch.rsqrt(1 + speed * speed), speed

    def units(self, state: Tensor, along: Tensor, right: Tensor, left: Tensor) -> Tensor:
        """Units of the outputs, [B, groups, 8, n + 1]."""
        n, flux, v = self.local(state, along, right, left)
        rows = [flux * MACRO, flux * MACRO, flux * MACRO, n * v, n * v, n * v * v, n * v * v, n * v * v]
        return torch.stack(rows, 2)

    def correction(self, state: Tensor, along: Tensor, right: Tensor, left: Tensor) -> Correction | None:
        """What the net adds over a macro step: flux through the faces, jy, sources, and E and B if it learns
        them.
        """
        if self.net is None:
            return None
        ex, ey, bz = nodes(along, right, left)
        seen = torch.cat([features(state, self.c), field_features(ex, ey, bz, along)], 1)
        found = self.net(seen)
        own = found[:, : OUTPUTS * self.groups].view(found.shape[0], self.groups, OUTPUTS, -1)
        own = (
            torch.tanh(own / BOUND)
            * BOUND
            * self.scale[None, :, :, None]
            * self.units(state, along, right, left)
        )
        flux = (own[:, :, 0, :-1] + own[:, :, 0, 1:]) / 2
        source = own[:, :, 2:]
        number = torch.zeros_like(source[:, :, 0])
        if self.exchanging:
            given = (source[:, 0::2, 0] - source[:, 1::2, 0]) / 2
            number = torch.stack([given, -given], 2).flatten(1, 2)
        source = torch.cat([number[:, :, None], source[:, :, 1:]], 2)
        fields = None
        if self.learned_fields:
            fields = found[:, OUTPUTS * self.groups :] * self.field_scale[None, :, None]
        return flux, own[:, :, 1], source, fields

    def step(
        self, state: Tensor, along: Tensor, right: Tensor, left: Tensor, correction: Correction | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """One step; returns the moments and the number currents along x [B, groups, n] and across [.., n +
        1].
        """
        fluxes, across = torch.zeros_like(state[..., 1:]), torch.zeros_like(state[:, :, 0])
        if self.core:
            state, fluxes, across = self.classical(state, along, right, left)
        number = fluxes[:, :, 0]
        if correction is not None:
            number = number + correction[0] / MACRO
            across = across + correction[1] / MACRO
        number = limited(number, state[:, :, 0].clamp_min(0))
        state = state + gathering(torch.cat([number[:, :, None], fluxes[:, :, 1:]], 2))
        if correction is not None:
            state = state + self.sourced(correction[2] / MACRO, state[:, :, 0])
        return state, number, across

    def sourced(self, source: Tensor, n: Tensor) -> Tensor:
        """The net's sources; what one group gives another is at most what it has."""
        if not self.exchanging:
            return source
        thermal, rest = n[:, 0::2].clamp_min(0), n[:, 1::2].clamp_min(0)
        gained = torch.minimum(torch.maximum(source[:, 0::2, 0], -thermal), rest)
        number = torch.stack([gained, -gained], 2).flatten(1, 2)
        return torch.cat([number[:, :, None], source[:, :, 1:]], 2)

    def classical(
        self, state: Tensor, along: Tensor, right: Tensor, left: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The kick, then the fluxes of all six moments through the faces."""
        c = self.c
        n, ux, uy, variance = primitive(state, c)
        ex, ey, bz = (f[:, None] * (c.charge / c.mass * c.dx / 2) for f in nodes(along, right, left))
        heat = variance.sum(2)
        ux, uy = ux + ex, uy + ey
        turn = bz * torch.rsqrt(1 + ux * ux + uy * uy + heat)
        a, b, scale = ux + uy * turn, uy - ux * turn, 2 * turn / (1 + turn * turn)
        ux, uy = ux + b * scale + ex, uy - a * scale + ey
        inverse = torch.rsqrt(1 + ux * ux + uy * uy + heat)
        vx, n = ux * inverse, n.clamp_min(0)
        state = conserved(n, ux, uy, variance)
        pressure = n * variance[:, :, 0] * inverse
        zero = torch.zeros_like(pressure)
        flow = state * vx[:, :, None] + torch.stack([zero, pressure, zero, 2 * ux * pressure, zero, zero], 2)
        fastest = (vx.abs() + (3 * variance[:, :, 0]).sqrt() * inverse).clamp(max=1)
        fastest = torch.maximum(fastest[..., 1:], fastest[..., :-1])[:, :, None]
        fluxes = (flow[..., 1:] + flow[..., :-1]) / 2 - fastest / 2 * (state[..., 1:] - state[..., :-1])
        return state, fluxes, n * uy * inverse


def limited(flux: Tensor, n: Tensor) -> Tensor:
    """The flux through the faces, cut so that no node gives more than it has."""
    forth, back = flux.clamp_min(0), flux.clamp_max(0)
    given = F.pad(forth, (0, 1)) - F.pad(back, (1, 0))
    share = (n / (given + 1e-9)).clamp(max=1.0)
    return forth * share[..., :-1] + back * share[..., 1:]


def gathering(flux: Tensor) -> Tensor:
    """What each node gains from a flux through the faces."""
    return F.pad(flux, (1, 0)) - F.pad(flux, (0, 1))
