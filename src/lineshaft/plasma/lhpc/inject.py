"""The coupling: which of the fluid become particles, learned, and drawn without a choice in the gradient's
way.

The net sees the moments before and after a macro step and predicts, for each node and species, the density
that leaves the fluid and the Gaussian of its momenta. Of it, SLOTS particles a species are drawn
systematically: evenly along the cumulated density, each with the expected weight that its place asks for.
Numbers never fluctuate, so gradients flow through the weights; momenta are reparameterised. What is drawn is
subtracted from the fluid exactly (number, momenta, squares), so charge, momentum and energy are handed over,
not made.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lineshaft.plasma.lhpc.moments import features, primitive
from lineshaft.plasma.lhpc.nets import Cnn
from lineshaft.plasma.lhpc.particles import Particles
from lineshaft.plasma.lhpc.target import Constants, Target

SLOTS = 256
WINDOW_SLOTS = 768
Rates = tuple[Tensor, Tensor, Tensor, Tensor]  # density, mean ux and uy, log variances
Drawn = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]  # node, ux, uy, uz, weight


class Injection(nn.Module):
    """(moments after, moments before) -> density to inject, mean ux and uy, log variances [.., 3, n + 1]."""

    usual: Tensor  # [2] density injected a macro step

    def __init__(self, c: Constants, members: int, width: int = 48) -> None:
        super().__init__()
        self.c, self.net = c, Cnn(members, 32, 12, width, (1, 2, 4, 2))
        self.register_buffer("usual", torch.ones(2))

    def forward(self, after: Tensor, before: Tensor) -> Rates:
        c = self.c
        n, ux, uy, variance = primitive(after, c)
        found = self.net(torch.cat([features(after, c), features(before, c)], 1)).view(n.shape[0], 2, 6, -1)
        density = F.softplus(3 * found[:, :, 0] - 6) * self.usual[None, :, None]
        density = torch.minimum(density, 0.3 * n.clamp_min(0))
        sigma = variance.sqrt() + 0.3 * c.unit[:, :, None]
        mean_x = ux + 5 * sigma[:, :, 0] * found[:, :, 1]
        mean_y = uy + 5 * sigma[:, :, 1] * found[:, :, 2]
        return density, mean_x, mean_y, 2 * torch.log(sigma) + 3 * found[:, :, 3:].clamp(-4, 4)

    def loss(self, rates: Rates, truth: Tensor, target: Target) -> Tensor:
        """Poisson likelihood of the number, Gaussian of the momenta, per particle injected; one value a
        sample.
        """
        first = target.window_cells
        density, mx, my, log_variance = (r[..., first:] for r in rates)
        truth = truth[..., first:]
        count, expected = truth[:, :, 0] / target.weight, density / target.weight + 1e-6
        poisson = expected - count * torch.log(expected)
        inverse = torch.exp(-log_variance)
        misfit = (
            (truth[:, :, 3] - 2 * mx * truth[:, :, 1] + mx**2 * truth[:, :, 0]) * inverse[:, :, 0]
            + (truth[:, :, 4] - 2 * my * truth[:, :, 2] + my**2 * truth[:, :, 0]) * inverse[:, :, 1]
            + truth[:, :, 5] * inverse[:, :, 2]
        )
        gaussian = misfit / 2 / target.weight + count / 2 * log_variance.sum(2)
        return ((poisson + gaussian).sum(-1) / count.sum(-1).clamp_min(1.0)).sum(1)


def oracle(truth: Tensor, state: Tensor, c: Constants) -> Rates:
    """The rates of what was truly injected, as far as the fluid has it."""
    n = truth[:, :, 0].clamp_min(1e-9)
    mean = truth[:, :, 1:3] / n[:, :, None]
    zero = torch.zeros_like(n)
    variance = truth[:, :, 3:] / n[:, :, None] - torch.stack(
        [mean[:, :, 0] ** 2, mean[:, :, 1] ** 2, zero], 2
    )
    density = torch.minimum(truth[:, :, 0], 0.5 * state[:, :, 0].clamp_min(0))
    return density, mean[:, :, 0], mean[:, :, 1], torch.log(variance.clamp_min(1e-9))


def in_window(state: Tensor, rates: Rates | None, c: Constants, cells: int) -> Rates | None:
    """Inside a kinetic window all fluid becomes particles of its own Gaussian; elsewhere `rates` decide."""
    if not cells:
        return rates
    n, ux, uy, variance = primitive(state, c)
    if rates is None:
        zero = torch.zeros_like(n)
        rates = (zero, zero, zero, torch.zeros_like(variance))
    own = (n.clamp_min(0), ux, uy, torch.log(variance))
    first, second, third, fourth = (
        torch.cat([a[..., :cells], b[..., cells:]], -1) for a, b in zip(own, rates)
    )
    return first, second, third, fourth


def inject(
    state: Tensor, some: Particles, rates: Rates, c: Constants, cells: int = 0, slots: int = SLOTS
) -> tuple[Tensor, Particles]:
    """Draw particles from the rates and subtract them; returns the fluid and the particles."""
    state, drawn = draw(state, rates, c, cells, slots)
    return state, some.filled(*drawn)


def handed(
    injection: Injection | None, c: Constants, after: Tensor, before: Tensor, cells: int, slots: int
) -> tuple[Tensor, Drawn]:
    """What the net (or a window alone) turns into particles, on bare tensors: the fluid, and the drawn."""
    rates = in_window(after, None if injection is None else injection(after, before), c, cells)
    assert rates is not None
    return draw(after, rates, c, cells, slots)


def draw(state: Tensor, rates: Rates, c: Constants, cells: int, slots: int) -> tuple[Tensor, Drawn]:
    """Draw `slots` particles a species from the rates; returns the fluid without them, and them."""
    density, mean_x, mean_y, log_variance = rates
    batch, last = state.shape[0], state.shape[-1] - 2
    cumulated = density.detach().cumsum(-1)
    total = cumulated[..., -1:]
    places = torch.arange(slots, device=state.device) + torch.rand(batch, 2, 1, device=state.device)
    node = torch.searchsorted(cumulated.contiguous(), (places / slots * total).contiguous()).clamp(max=last)

    def at(values: Tensor) -> Tensor:
        return torch.gather(values, 2, node)

    here = at(density)
    weight = total / slots * here / here.detach().clamp_min(1e-12)
    weight = weight * ((at(state[:, :, 0]) > 4 * c.vacuum) | (node < cells))
    weight = weight * at(affordable(weight, node, state[:, :, 0], cells))
    noise = torch.randn(3, *node.shape, device=state.device)
    sigma = [torch.exp(at(log_variance[:, :, k]) / 2) for k in range(3)]
    ux, uy, uz = at(mean_x) + sigma[0] * noise[0], at(mean_y) + sigma[1] * noise[1], sigma[2] * noise[2]
    taken = torch.stack([weight, weight * ux, weight * uy, weight * ux**2, weight * uy**2, weight * uz**2], 2)
    state = state.scatter_add(3, node[:, :, None].expand(-1, -1, 6, -1), -taken)
    return warm(state, c), (node, ux, uy, uz, weight)


def affordable(weight: Tensor, node: Tensor, n: Tensor, cells: int) -> Tensor:
    """The share of what was drawn from each node that it can give: half of what it has, in a window all."""
    given = torch.zeros_like(n).scatter_add(2, node, weight)
    most = torch.where(torch.arange(n.shape[-1], device=n.device) < cells, n, n / 2).clamp_min(0)
    return (most / given.clamp_min(1e-9)).clamp(max=1.0)


def warm(state: Tensor, c: Constants) -> Tensor:
    """Raise the squares where less is left than the mean momenta alone account for."""
    n = state[:, :, 0].clamp_min(c.vacuum)
    zero = torch.zeros_like(n)
    least = (
        torch.stack([state[:, :, 1] ** 2 / n, state[:, :, 2] ** 2 / n, zero], 2) + (c.coldest * n)[:, :, None]
    )
    return torch.cat([state[:, :, :3], torch.maximum(state[:, :, 3:], least)], 2)
