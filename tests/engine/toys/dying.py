"""A run that the system kills without a word, as it does when memory runs out."""

import os
import signal

from pydantic import Field

from lineshaft.engine import Config as Base
from lineshaft.engine import Run


class Config(Base):
    """Dies at every step; with `saves` it gets one step further each time."""

    saves: bool = Field(False, description="save before dying")


def run(config: Config, run: Run) -> dict[str, float]:
    step = (run.state or 0) + 1
    if step > 5:
        return {"step": step}
    if config.saves:
        run.checkpoint(step, lambda: step)
    os.kill(os.getpid(), signal.SIGKILL)
    return {}
