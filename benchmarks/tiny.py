"""A tiny experiment: the load under which the engine's own cost is measured."""

import time

from pydantic import Field

from lineshaft.engine import Config as Base
from lineshaft.engine import Run


class Config(Base):
    """A linear model fitted to noise by 20 steps of Adam: a run of milliseconds that needs torch.optim."""

    lr: float = Field(0.01, gt=0, description="learning rate")


def run(config: Config, run: Run) -> dict[str, float]:
    start = time.perf_counter()
    loss = train(config.lr, config.seed)
    return {"loss": loss, "seconds": time.perf_counter() - start}


def train(lr: float, seed: int) -> float:
    """The last loss. torch.optim imports torch._dynamo: seconds in every fresh process."""
    import torch

    torch.manual_seed(seed)
    x, y = torch.randn(64, 8), torch.randn(64, 1)
    model = torch.nn.Linear(8, 1)
    optimiser = torch.optim.Adam(model.parameters(), lr=lr)
    for _ in range(20):
        optimiser.zero_grad()
        loss = torch.nn.functional.mse_loss(model(x), y)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return loss.item()
