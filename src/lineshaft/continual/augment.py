"""Batched views of rows that lie on the device, made inside the training step, without a data loader.

An augmentation is a part: derive from `Augment` for your own. Pixels become float32 in channels-last order;
tokens are never augmented; vectors only where an objective needs two different views.
"""

from typing import TYPE_CHECKING, ClassVar, Literal

import torch
from pydantic import Field
from torch import Generator, Tensor
from torch.nn import functional as F

from lineshaft.continual import speed
from lineshaft.engine import Part

if TYPE_CHECKING:
    from lineshaft.continual.streams.stream import Store

PAD = 4  # pixels, the usual crop of CIFAR training


def crop_flip(store: Tensor, ids: Tensor, generator: Generator) -> Tensor:
    """A random crop after reflecting PAD pixels at each side, and a mirror image half of the time.

    store: uint8 [n, height, width, channels]; ids: [m]. Returns uint8 [m, height, width, channels].
    """
    return cropped(store, ids, *crop_draws(len(ids), generator))


def crop_draws(count: int, generator: Generator) -> tuple[Tensor, Tensor]:
    """Shifts [2, count, 1] of rows and columns, and whether an image is mirrored [count, 1]."""
    device = generator.device
    shift = torch.randint(-PAD, PAD + 1, (2, count, 1), generator=generator, device=device)
    return shift, torch.randint(0, 2, (count, 1), generator=generator, device=device).bool()


def cropped(store: Tensor, ids: Tensor, shift: Tensor, mirrored: Tensor) -> Tensor:
    """Reflection and crop are arithmetic on indices, so that fetching and augmenting is one gather."""
    device, (_, height, width, _) = store.device, store.shape
    rows = reflect(torch.arange(height, device=device) + shift[0], height)
    columns = reflect(torch.arange(width, device=device) + shift[1], width)
    columns = torch.where(mirrored, columns.flip(1), columns)
    return store[ids[:, None, None], rows[:, :, None], columns[:, None, :]]


def reflect(index: Tensor, size: int) -> Tensor:
    """Indices outside 0..size-1 folded back, as often as needed, without repeating the border (as padding
    mode `reflect`).
    """
    last = size - 1
    return last - (last - index.abs() % max(2 * last, 1)).abs()


def normalise(pixels: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """uint8 [n, height, width, channels] -> float32 [n, channels, height, width] in channels-last memory."""
    return pixels.float().div_(255).sub_(mean).div_(std).permute(0, 3, 1, 2)


class Augment(Part):
    """How a view of some rows is drawn.

    recordable: drawing waits for nothing and has no state but the generator, so that a step may be played
    back as a CUDA graph.
    """

    recordable: ClassVar[bool] = False

    def view(self, store: "Store", ids: Tensor, generator: Generator) -> Tensor:
        """The rows as a network sees them, float32 for pixels and vectors."""
        raise NotImplementedError


class Plain(Augment):
    """The rows as they are."""

    name: Literal["plain"] = "plain"
    recordable = True

    def view(self, store: "Store", ids: Tensor, generator: Generator) -> Tensor:
        return store.view(ids)


class Crop(Augment):
    """Pixels: a random crop after padding, mirrored half of the time. Other data as they are."""

    name: Literal["crop"] = "crop"
    recordable = True

    def view(self, store: "Store", ids: Tensor, generator: Generator) -> Tensor:
        if not store.is_pixels:
            return store.view(ids)
        draws = crop_draws(len(ids), generator)
        return speed.fused(crop_view, store.x, ids, *draws, store.mean, store.std)


class CropColour(Augment):
    """The crop, then colour jitter (without hue) and grey: the supervised recipe of published code."""

    name: Literal["crop_colour"] = "crop_colour"
    recordable = True
    strength: float = Field(0.4, ge=0, le=1, description="of brightness, contrast and saturation")

    def view(self, store: "Store", ids: Tensor, generator: Generator) -> Tensor:
        if not store.is_pixels:
            return store.view(ids)
        draws = (*crop_draws(len(ids), generator), colour_draws(len(ids), generator))
        return speed.fused(crop_colour_view, store.x, ids, *draws, self.strength, store.mean, store.std)


class TwoViews(Augment):
    """For self-supervised objectives. Pixels: a random resized crop, mirrored, jittered, sometimes grey (no
    blur, as at 32 pixels). Vectors: Gaussian noise and entries dropped."""

    name: Literal["two_views"] = "two_views"
    recordable = True
    smallest: float = Field(0.2, gt=0, le=1, description="least share of the area that a crop keeps")
    strength: float = Field(0.4, ge=0, le=1, description="of brightness, contrast and saturation")
    noise: float = Field(0.1, ge=0, description="of vectors, as a share of their standard deviation")
    drop: float = Field(0.2, ge=0, lt=1, description="share of a vector's entries set to zero")

    def view(self, store: "Store", ids: Tensor, generator: Generator) -> Tensor:
        if store.is_tokens:
            return store.view(ids)
        if not store.is_pixels:
            return self._noisy(store.view(ids), generator)
        n, device = len(ids), store.x.device
        crops = torch.rand(5, n, generator=generator, device=device)
        more = (self.smallest, colour_draws(n, generator), self.strength, store.mean, store.std)
        return speed.fused(resized_view, store.x, ids, crops, *more)

    def _noisy(self, x: Tensor, generator: Generator) -> Tensor:
        noise = torch.randn(x.shape, generator=generator, device=x.device) * (self.noise * x.std())
        kept = torch.rand(x.shape, generator=generator, device=x.device) >= self.drop
        return (x + noise) * kept


AnyAugment = Plain | Crop | CropColour | TwoViews


# What is drawn is fixed before; the rest is a few kernels where it is compiled.


def crop_view(x: Tensor, ids: Tensor, shift: Tensor, mirrored: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    return normalise(cropped(x, ids, shift, mirrored), mean, std)


def crop_colour_view(
    x: Tensor,
    ids: Tensor,
    shift: Tensor,
    mirrored: Tensor,
    colours: Tensor,
    strength: float,
    mean: Tensor,
    std: Tensor,
) -> Tensor:
    pixels = cropped(x, ids, shift, mirrored).permute(0, 3, 1, 2).float() / 255
    return standard(colour(pixels, strength, colours), mean, std)


def resized_view(
    x: Tensor,
    ids: Tensor,
    crops: Tensor,
    smallest: float,
    colours: Tensor,
    strength: float,
    mean: Tensor,
    std: Tensor,
) -> Tensor:
    pixels = x[ids].permute(0, 3, 1, 2).float() / 255
    return standard(colour(resized_crop(pixels, smallest, crops), strength, colours), mean, std)


def standard(x: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """[n, channels, height, width] in 0..1, standardised, channels-last in memory."""
    x = (x - mean[:, None, None]) / std[:, None, None]
    return x.contiguous(memory_format=torch.channels_last)


def resized_crop(x: Tensor, smallest: float, draws: Tensor) -> Tensor:
    """A crop of random area and shape resized back, mirrored half of the time.

    x: [n, channels, h, w]; draws: uniform [5, n].
    """
    area = smallest + (1 - smallest) * draws[0]
    shape = torch.exp((draws[1] * 2 - 1) * 0.2877)  # sides between 3:4 and 4:3
    width, height = (area * shape).sqrt().clamp(max=1), (area / shape).sqrt().clamp(max=1)
    left, top = (draws[2] * 2 - 1) * (1 - width), (draws[3] * 2 - 1) * (1 - height)
    mirror = torch.where(draws[4] < 0.5, -1.0, 1.0)
    zero = torch.zeros_like(width)
    matrix = torch.stack(
        [torch.stack([width * mirror, zero, left], 1), torch.stack([zero, height, top], 1)], 1
    )
    grid = F.affine_grid(matrix, list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, padding_mode="reflection", align_corners=False)


GREY = (0.299, 0.587, 0.114)


def colour_draws(count: int, generator: Generator) -> Tensor:
    return torch.rand(5, count, 1, 1, 1, generator=generator, device=generator.device)


def colour(x: Tensor, strength: float, draws: Tensor) -> Tensor:
    """Brightness, contrast and saturation of 80 % of the images, grey of 20 %; values in 0..1.

    draws: uniform [5, n, 1, 1, 1].
    """
    jittered = (draws[0] < 0.8).float()
    bright, contrast, saturation = (1 + jittered * strength * (draws[i] * 2 - 1) for i in (1, 2, 3))
    x = x * bright
    middle = greyed(x).mean((2, 3), keepdim=True)
    x = middle + (x - middle) * contrast
    grey = greyed(x)
    x = grey + (x - grey) * saturation
    return torch.where(draws[4] < 0.2, grey.expand_as(x), x).clamp(0, 1)


def greyed(x: Tensor) -> Tensor:
    """[n, 3, h, w] -> [n, 1, h, w]; the weights are numbers, so that nothing is copied to the device."""
    red, green, blue = x.unbind(1)
    return (GREY[0] * red + GREY[1] * green + GREY[2] * blue)[:, None]
