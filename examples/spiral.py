"""Two spirals told apart by a small network: an experiment in a plain file.

lineshaft sweep examples/spiral.py "lr=log(1e-3,10,5)" width=8,64 seed=0..4
lineshaft summary spiral --tune lr
"""

from typing import ClassVar

import torch
from pydantic import Field

from lineshaft.engine import Config as Base
from lineshaft.engine import Run


class Config(Base):
    """A small network tells two spirals apart."""

    objective: ClassVar = ("val/accuracy", "max")
    lr: float = Field(0.01, gt=0, description="learning rate of Adam")
    width: int = Field(32, gt=0, description="neurons of the hidden layer")


def run(config: Config, run: Run) -> dict[str, float]:
    t = torch.rand(1000) * 9
    y = torch.arange(1000) % 2
    x = torch.stack([t * torch.cos(t + y * torch.pi), t * torch.sin(t + y * torch.pi)], 1) / 9
    net = torch.nn.Sequential(
        torch.nn.Linear(2, config.width), torch.nn.Tanh(), torch.nn.Linear(config.width, 2)
    )
    adam = torch.optim.Adam(net.parameters(), config.lr)
    for step in run.progress(range(300), "steps"):
        loss = torch.nn.functional.cross_entropy(net(x[:500]), y[:500])
        adam.zero_grad()
        loss.backward()
        adam.step()
        accuracy = (net(x[500:]).argmax(1) == y[500:]).float().mean().item()
        run.log(step, {"train/loss": loss.item(), "val/accuracy": accuracy})
    return {"val/accuracy": accuracy}
