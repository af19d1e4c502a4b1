"""Starts from a finished walk: reports where that walk was when its best checkpoint was taken."""

from pydantic import Field

from lineshaft.engine import Config as Base
from lineshaft.engine import Run


class Config(Base):
    """A multiple of the place that the parent reached."""

    factor: float = Field(1.0, description="what the place is multiplied by")
    lr: float = Field(7.0, description="a parameter that the walk has too, with another meaning")


def run(config: Config, run: Run) -> dict[str, float]:
    step, x = run.state or (0, 0.0)
    return {"step": step, "place": config.factor * x, "relaunched": run.relaunched, "lr": config.lr}
