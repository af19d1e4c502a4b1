"""The hybrid and its rivals: what each calls the fluid, and what else it carries.

All share the nets, the number of weights, the training and (unless `fields=learned`) the exact Maxwell
solver.
"""

from typing import Annotated, Literal

from pydantic import Field
from torch import Tensor

from lineshaft.engine import Part


class Method(Part):
    """Base: which of the four groups (electrons thermal and not, ions thermal and not) are fluid."""

    net: Literal["cnn", "fno", "none"] = Field("cnn", description="none: the classical core alone")
    core: bool = Field(True, description="step the fluid classically as well; without, the net alone")
    width: int = Field(48, ge=2, description="channels of the net")

    @property
    def groups(self) -> int:
        return 2

    @property
    def learned_fields(self) -> bool:
        return False

    def pick(self, groups: Tensor) -> Tensor:
        """The fluid's part of a tensor [.., 4, m, n + 1] of all groups."""
        raise NotImplementedError


class Lhpc(Method):
    """The hybrid: thermal plasma is fluid, the rest particles, injected by a net; fields from Maxwell."""

    name: Literal["lhpc"] = "lhpc"
    coupling: bool = Field(True, description="train and use the injection; without, fluid stays fluid")

    def pick(self, groups: Tensor) -> Tensor:
        return groups[..., 0::2, :, :]


class AllFluid(Method):
    """All plasma is fluid; `fields=learned` as in the publication, `maxwell` as fair to it as to the
    hybrid.
    """

    name: Literal["fluid"] = "fluid"
    fields: Literal["maxwell", "learned"] = Field("maxwell", description="solved, or outputs of the net")

    @property
    def learned_fields(self) -> bool:
        return self.fields == "learned"

    def pick(self, groups: Tensor) -> Tensor:
        return groups[..., 0::2, :, :] + groups[..., 1::2, :, :]


class BiGaussian(Method):
    """Two fluids a species, thermal and not, which may exchange particles."""

    name: Literal["bigaussian"] = "bigaussian"
    fields: Literal["maxwell", "learned"] = Field("maxwell", description="solved, or outputs of the net")

    @property
    def groups(self) -> int:
        return 4

    @property
    def learned_fields(self) -> bool:
        return self.fields == "learned"

    def pick(self, groups: Tensor) -> Tensor:
        return groups


class Redrawn(Method):
    """No model: all particles, the thermal ones redrawn from their moments. The floor of any moment
    closure.
    """

    name: Literal["particles"] = "particles"

    def pick(self, groups: Tensor) -> Tensor:
        return groups[..., 0::2, :, :]


AnyMethod = Annotated[Lhpc | AllFluid | BiGaussian | Redrawn, Field(discriminator="name")]
