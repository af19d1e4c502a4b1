"""The nets: a small convolutional and a Fourier one, several members (training seeds) side by side.

The input is [members * B, channels, n], member by member. Members share nothing: a grouped convolution
computes what each of them alone would.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Convolution(nn.Module):
    """A one-dimensional convolution for each member; `zero` starts from the constant zero."""

    def __init__(
        self, members: int, inputs: int, outputs: int, kernel: int, dilation: int = 1, zero: bool = False
    ):
        super().__init__()
        bound = 0.0 if zero else (1 / (inputs * kernel)) ** 0.5
        self.members, self.dilation, self.pad = members, dilation, kernel // 2 * dilation
        self.weight = nn.Parameter(torch.empty(members, outputs, inputs, kernel).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(members, outputs).uniform_(-bound, bound))

    def forward(self, x: Tensor) -> Tensor:
        batch = x.shape[0] // self.members
        joined = x.view(self.members, batch, *x.shape[1:]).transpose(0, 1).flatten(1, 2)
        found = F.conv1d(
            joined,
            self.weight.flatten(0, 1),
            self.bias.flatten(),
            padding=self.pad,
            dilation=self.dilation,
            groups=self.members,
        )
        return found.view(batch, self.members, -1, x.shape[-1]).transpose(0, 1).flatten(0, 1)


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
        self.stem = Convolution(members, inputs, width, 5)
        self.blocks = nn.ModuleList([Convolution(members, width, width, 5, d) for d in dilations])
        self.head = Convolution(members, width, outputs, 1, zero=True)

    def forward(self, x: Tensor) -> Tensor:
        x = F.gelu(self.stem(x))
        for block in self.blocks:
            x = x + F.gelu(block(x))
        return self.head(x)


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
        x = self.stem(F.pad(x, (0, 47)))
        for weight, local in zip(self.spectral, self.local):
            spectrum = torch.fft.rfft(x)
            kept = min(self.modes, spectrum.shape[-1])
            low = spectrum[..., :kept].view(self.members, -1, x.shape[1], kept)
            mixed = torch.einsum("sbim,siom->sbom", low, torch.complex(weight[0], weight[1])[..., :kept])
            wide = F.pad(mixed.flatten(0, 1), (0, spectrum.shape[-1] - kept))
            x = x + F.gelu(torch.fft.irfft(wide, n=x.shape[-1]) + local(x))
        return self.head(x)[..., :n]


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
