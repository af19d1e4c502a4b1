"""Crop, flip and normalisation against torch's own padding and slicing."""

from itertools import product

import torch
from torch.nn import functional as F

from lineshaft.continual.augment import PAD, crop_flip, normalise, reflect

SIDE = 12


def store(count: int = 3) -> torch.Tensor:
    return torch.randint(0, 256, (count, SIDE, SIDE, 3), generator=generator(9)).to(torch.uint8)


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_reflection_is_that_of_pad() -> None:
    row = torch.arange(8.0)
    assert torch.equal(
        reflect(torch.arange(-4, 12), 8).float(), F.pad(row[None, None], (4, 4), mode="reflect")[0, 0]
    )


def test_every_view_is_one_of_the_crops_and_all_are_reached() -> None:
    images = store()
    padded = F.pad(images.permute(0, 3, 1, 2).float(), (PAD,) * 4, mode="reflect").permute(0, 2, 3, 1)
    ids = torch.tensor([1]).repeat(4000)
    views = crop_flip(images, ids, generator(0))
    views, found = views.flatten(1), torch.zeros(4000, dtype=torch.bool)
    for top, left in product(range(2 * PAD + 1), repeat=2):
        crop = padded[1, top : top + SIDE, left : left + SIDE].to(torch.uint8)
        for candidate in (crop, crop.flip(1)):
            hits = (views == candidate.flatten()).all(1)
            assert hits.any()
            found |= hits
    assert found.all()


def test_ids_choose_the_images_and_the_generator_the_views() -> None:
    flat = torch.arange(5, dtype=torch.uint8)[:, None, None, None].expand(5, SIDE, SIDE, 3).contiguous()
    ids = torch.tensor([4, 0, 2])
    assert crop_flip(flat, ids, generator(0))[:, 0, 0, 0].tolist() == [4, 0, 2]
    images = store(5)
    same, again, other = (crop_flip(images, ids, generator(seed)) for seed in (1, 1, 2))
    assert torch.equal(same, again) and not torch.equal(same, other)


def test_normalised_images_are_channels_last_and_standard() -> None:
    images = store(50)
    mean, std = (images.float() / 255).mean((0, 1, 2)), (images.float() / 255).std((0, 1, 2))
    x = normalise(images, mean, std)
    assert x.shape == (50, 3, SIDE, SIDE) and x.is_contiguous(memory_format=torch.channels_last)
    assert torch.allclose(x.mean((0, 2, 3)), torch.zeros(3), atol=1e-5)
    assert torch.allclose(x.std((0, 2, 3)), torch.ones(3), atol=1e-5)
    assert torch.allclose(x[7, 1, 2, 3], (images[7, 2, 3, 1] / 255 - mean[1]) / std[1])
