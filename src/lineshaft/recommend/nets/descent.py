"""The loop in which both networks learn: epochs of batches, a rate that rises and falls, quick products."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from lineshaft.recommend.nets.denoising import Batch, Draws
from lineshaft.recommend.nets.device import quick_products


def descend(
    optimiser: torch.optim.Optimizer,
    draws: Draws,
    loss: Callable[[Batch], Tensor],
    epochs: int,
    batch: int,
) -> None:
    """Minimise `loss`, `batch` users a step. A last batch of a single user is left out: it has no spread."""
    steps = epochs * -(-len(draws.users) // batch)
    rate = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: schedule(step, steps))
    with quick_products():
        for _ in range(epochs):
            for some in draws.epoch(batch):
                if len(some.users) < 2:
                    continue
                optimiser.zero_grad(set_to_none=True)
                loss(some).backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                rate.step()


def schedule(step: int, steps: int) -> float:
    """Linear warm-up over a twentieth, then half a cosine down to a twentieth of the rate."""
    warm = min(1.0, (step + 1) / (0.05 * steps + 1))
    return float(warm * (0.05 + 0.95 * 0.5 * (1 + np.cos(np.pi * step / steps))))
