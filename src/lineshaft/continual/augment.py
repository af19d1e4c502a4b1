"""Batched views of images that lie on the device: crop, flip and normalisation, without a data loader."""

import torch
from torch import Generator, Tensor

PAD = 4  # pixels, the usual crop of CIFAR training


def crop_flip(store: Tensor, ids: Tensor, generator: Generator) -> Tensor:
    """A random crop after reflecting PAD pixels at each side, and a mirror image half of the time.

    store: uint8 [n, height, width, channels]; ids: [m]. Returns uint8 [m, height, width, channels].
    Reflection and crop are arithmetic on indices, so that fetching and augmenting is one gather, however
    many images are asked for: a whole epoch costs about ten kernel launches.
    """
    device, (_, height, width, _) = store.device, store.shape
    count = len(ids)
    shift = torch.randint(-PAD, PAD + 1, (2, count, 1), generator=generator, device=device)
    mirrored = torch.randint(0, 2, (count, 1), generator=generator, device=device).bool()
    rows = reflect(torch.arange(height, device=device) + shift[0], height)
    columns = reflect(torch.arange(width, device=device) + shift[1], width)
    columns = torch.where(mirrored, columns.flip(1), columns)
    return store[ids[:, None, None], rows[:, :, None], columns[:, None, :]]


def reflect(index: Tensor, size: int) -> Tensor:
    """Indices outside 0..size-1 folded back, without repeating the border (as padding mode `reflect`)."""
    last = size - 1
    return last - (last - index.abs()).abs()


def normalise(pixels: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """uint8 [n, height, width, channels] -> float32 [n, channels, height, width] in channels-last memory."""
    return pixels.float().div_(255).sub_(mean).div_(std).permute(0, 3, 1, 2)
