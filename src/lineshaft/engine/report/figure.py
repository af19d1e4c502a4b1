"""A picture of a finished run, drawn by `report` from saved arrays."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import matplotlib.figure


@dataclass(frozen=True)
class Figure:
    title: str
    plot: "matplotlib.figure.Figure"
    caption: str = ""
