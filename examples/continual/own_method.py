"""A method of your own, in a plain file: lineshaft run examples/continual/own_method.py methods=si+l2

Pull every parameter towards where the last task left it, all with one strength.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from lineshaft.continual.experiments import stream
from lineshaft.continual.experiments.stream import figures, run
from lineshaft.continual.methods.choices import AnyMethod
from lineshaft.continual.methods.method import Method

__all__ = ["Config", "figures", "run"]


class L2(Method):
    """memory, for each parameter NAME: anchor:NAME."""

    name: Literal["l2"] = "l2"
    strength: float = Field(0.1, ge=0, description="weight of the pull")

    def gradients(self, memory, loop):
        for name, parameter in loop.parameters():
            if f"anchor:{name}" in memory:
                parameter.grad += 2 * self.strength * (parameter.detach() - memory[f"anchor:{name}"])

    def end(self, memory, loop, task, rows):
        memory.update({f"anchor:{n}": p.detach().clone() for n, p in loop.net.named_parameters()})


class Config(stream.Config):
    """A stream with one more method: every parameter is pulled towards where the last task left it."""

    version: ClassVar[int] = 1
    methods: tuple[Annotated[AnyMethod | L2, stream.Tag], ...] = Field(
        (L2(),), description="methods, composed"
    )
