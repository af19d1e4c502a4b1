"""Pictures of a finished loop, drawn from its arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lineshaft.dialogue.bootstrap import bootstrap
from lineshaft.engine import Figure, Folder

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LABELS = {
    "empty": "empty state",
    "permuted": "permuted gold (control)",
    "lower": "translated only: lower bound",
    "unfiltered": "+ all annotations",
    "random": "+ random drop, size of confidence",
    "confidence": "+ confidence filter",
    "random_oracle": "+ random drop, size of oracle",
    "oracle": "+ oracle filter: bound of filtering",
    "gold": "+ gold annotations: full-shot",
}
COLOURS = {
    "lower": "#35618f",
    "oracle": "#3c8d5a",
    "gold": "#8bb59a",
    "confidence": "#c9822b",
    "unfiltered": "#7d9cc0",
}
GREY = "#b5b5b5"
TURNS = 10
FEWEST = 30


def bars(folder: Folder) -> Figure:
    """Joint goal accuracy of every system with its interval, controls in grey."""
    from matplotlib.figure import Figure as Plot

    plot = Plot(figsize=(7.5, 3.8), layout="constrained")
    axes, dialogue = plot.subplots(), folder.array("dialogue")
    for place, system in enumerate(reversed(LABELS)):
        mean, low, high = bootstrap(folder.array(system)[0], dialogue)
        axes.barh(place, mean, color=COLOURS.get(system, GREY), height=0.7)
        axes.errorbar(
            mean, place, xerr=[[mean - low], [high - mean]], color="#333333", capsize=2.5, linewidth=1
        )
        axes.annotate(
            f"{mean:.1f}", (high, place), (5, 0), textcoords="offset points", va="center", fontsize=8
        )
    axes.set_yticks(range(len(LABELS)), list(reversed(LABELS.values())), fontsize=8)
    axes.set_xlabel("joint goal accuracy, canonical (% of turns)")
    axes.margins(x=0.08)
    _calm(axes)
    caption = (
        "Whiskers: 95 % over resampled dialogues. All systems are tested on the same dialogues, so "
        "their paired differences are surer than the bars look. Grey: trivial systems and controls."
    )
    return Figure("Between the bounds", plot, caption)


def by_turn(folder: Folder) -> Figure:
    """Errors stay in the state: accuracy against the turn's number."""
    from matplotlib.figure import Figure as Plot

    plot = Plot(figsize=(7.5, 3.4), layout="constrained")
    axes, number = plot.subplots(), np.minimum(folder.array("number"), TURNS - 1)
    turns = np.bincount(number)
    shown = np.flatnonzero(turns >= FEWEST)
    for system in ("gold", "oracle", "confidence", "unfiltered", "lower", "empty"):
        accuracy = 100 * np.bincount(number, weights=folder.array(system)[0])[shown] / turns[shown]
        axes.plot(
            shown + 1,
            accuracy,
            marker="o",
            markersize=3,
            color=COLOURS.get(system, GREY),
            label=LABELS[system],
        )
    axes.set_xlabel(f"turn of the dialogue ({TURNS} = {TURNS} and later)")
    axes.set_ylabel("joint goal accuracy (%)")
    axes.set_ylim(0, 100)
    axes.legend(fontsize=7, frameon=False)
    _calm(axes)
    return Figure(
        "Along the dialogue", plot, "A wrong value stays in the state, so accuracy falls with every turn."
    )


def _calm(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="both", color="#e6e6e6", linewidth=0.6)
    axes.set_axisbelow(True)
