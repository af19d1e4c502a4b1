"""The nets: a small convolutional and a Fourier one, several members (training seeds) side by side.

The input is [members * B, channels, n], member by member. Members share nothing: a grouped convolution
computes what each of them alone would.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Convolution(nn.Module):
    """A one-dimensional convolution for each member, [members, channels, B, n]; `zero` starts from zero.

    On a GPU one matrix product of the shifted inputs for each member, elsewhere a grouped convolution: each
    is slow where the other is fast.
    """

    def __init__(
        self, members: int, inputs: int, outputs: int, kernel: int, dilation: int = 1, zero: bool = False
    ) -> None:
        super().__init__()
        bound = 0.0 if zero else (1 / (inputs * kernel)) ** 0.5
        self.kernel, self.dilation, self.pad = kernel, dilation, kernel // 2 * dilation
        self.weight = nn.Parameter(torch.empty(members, outputs, inputs, kernel).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(members, outputs).uniform_(-bound, bound))

    def forward(self, x: Tensor) -> Tensor:
        return self.product(x) if x.is_cuda else self.grouped(x)

    def grouped(self, x: Tensor) -> Tensor:
        joined = x.permute(2, 0, 1, 3).flatten(1, 2)
        weight, bias = self.weight.flatten(0, 1), self.bias.flatten()
        found = F.conv1d(joined, weight, bias, 1, self.pad, self.dilation, x.shape[0])
        return found.view(x.shape[2], x.shape[0], -1, x.shape[3]).permute(1, 2, 0, 3)

    def product(self, x: Tensor) -> Tensor:
        members, _, batch, n = x.shape
        wide = F.pad(x, (self.pad, self.pad))
        taps = [wide[..., j * self.dilation : j * self.dilation + n] for j in range(self.kernel)]
        columns = torch.stack(taps, 2).reshape(members, -1, batch * n)
        found = torch.baddbmm(self.bias[..., None], self.weight.flatten(2), columns)
        return found.view(members, -1, batch, n)


def by_member(x: Tensor, members: int) -> Tensor:
    """[members * B, channels, n] as [members, channels, B, n]."""
    return x.reshape(members, -1, *x.shape[1:]).transpose(1, 2)


class Cnn(nn.Module):
    """A stem, residual convolutions of growing and shrinking reach, a head that starts at zero."""

    def __init__(
        self,
        members: int,
        inputs: int,
        outputs: int,
        width: int,
        dilations: Sequence[int] = (1, 2, 4, 4, 2, 1),
    ) -> None:
        super().__init__()
        self.members = members
        self.stem = Convolution(members, inputs, width, 5)
        self.blocks = nn.ModuleList([Convolution(members, width, width, 5, d) for d in dilations])
        self.head = Convolution(members, width, outputs, 1, zero=True)

    def forward(self, x: Tensor) -> Tensor:
        x = F.gelu(self.stem(by_member(x, self.members)))
        for block in self.blocks:
            x = x + F.gelu(block(x))
        found: Tensor = self.head(x)
        return found.transpose(1, 2).flatten(0, 1)


class Fno(nn.Module):
    """A Fourier neural operator (Z. Li et al., 2021), padded since the box is not periodic."""

    def __init__(
        self, members: int, inputs: int, outputs: int, width: int, modes: int = 64, depth: int = 4
    ) -> None:
        super().__init__()
        self.stem, self.modes, self.members = Convolution(members, inputs, width, 1), modes, members
        shape = (2, members, width, width, modes)
        self.spectral = nn.ParameterList([nn.Parameter(torch.randn(shape) / width) for _ in range(depth)])
        self.local = nn.ModuleList([Convolution(members, width, width, 1) for _ in range(depth)])
        self.head = Convolution(members, width, outputs, 1, zero=True)

    def forward(self, x: Tensor) -> Tensor:
        n = x.shape[-1]
        x = self.stem(by_member(F.pad(x, (0, 47)), self.members))
        for weight, local in zip(self.spectral, self.local):
            spectrum = torch.fft.rfft(x)
            kept = min(self.modes, spectrum.shape[-1])
            mix = torch.complex(weight[0], weight[1])[..., :kept]
            mixed = torch.einsum("sibm,siom->sobm", spectrum[..., :kept], mix)
            wide = F.pad(mixed, (0, spectrum.shape[-1] - kept))
            x = x + F.gelu(torch.fft.irfft(wide, n=x.shape[-1]) + local(x))
        found: Tensor = self.head(x)[..., :n]
        return found.transpose(1, 2).flatten(0, 1)


def scaled_gradients(net: nn.Module, members: int, largest: float) -> Tensor:
    """Clip each member's gradient to a norm; returns the norms [members], infinite ones zeroed in the net."""
    grads = [
        p.grad.view(2, members, -1).transpose(0, 1).reshape(members, -1)
        if p.dim() == 5
        else p.grad.view(members, -1)
        for p in net.parameters()
        if p.grad is not None
    ]
    norm = torch.stack([g.square().sum(1) for g in grads]).sum(0).sqrt()
    factor = torch.where(
        torch.isfinite(norm), (largest / (norm + 1e-12)).clamp(max=1.0), torch.zeros_like(norm)
    )
    for p in net.parameters():
        if p.grad is not None:
            shape = (1, members, *[1] * (p.dim() - 2)) if p.dim() == 5 else (members, *[1] * (p.dim() - 1))
            p.grad.copy_(torch.nan_to_num(p.grad) * factor.view(shape))
    return norm
