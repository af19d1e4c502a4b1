"""Pictures of a finished loop, drawn from its arrays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lineshaft.dialogue.bootstrap import bootstrap
from lineshaft.dialogue.table import LABELS
from lineshaft.engine import Figure, Folder

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = {
    "lower": "#35618f",
    "oracle": "#3c8d5a",
    "gold": "#8bb59a",
    "classifier": "#c9822b",
    "stacked": "#a8571c",
    "confidence": "#dda94f",
    "slots": "#e3c58a",
    "all": "#7d9cc0",
}
GREY = "#b5b5b5"
TURNS = 10
FEWEST = 30
MOST_SLOTS = 20


def bars(folder: Folder) -> Figure:
    """Joint goal accuracy of every system with its interval, controls in grey."""
    from matplotlib.figure import Figure as Plot

    shown = [name for name in LABELS if name != "copy" and _there(folder, name)]
    plot = Plot(figsize=(7.5, 0.6 + 0.28 * len(shown)), layout="constrained")
    axes, dialogue = plot.subplots(), folder.array("dialogue")
    for place, system in enumerate(reversed(shown)):
        mean, low, high = bootstrap(folder.array(system)[0], dialogue)
        axes.barh(place, mean, color=COLOURS.get(system, GREY), height=0.7)
        axes.errorbar(
            mean, place, xerr=[[mean - low], [high - mean]], color="#333333", capsize=2.5, linewidth=1
        )
        axes.annotate(
            f"{mean:.1f}", (high, place), (5, 0), textcoords="offset points", va="center", fontsize=8
        )
    axes.set_yticks(range(len(shown)), [LABELS[name] for name in reversed(shown)], fontsize=8)
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
    for system in ("gold", "oracle", "classifier", "all", "lower", "empty"):
        if not _there(folder, system):
            continue
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


def errors(path: Path) -> Figure:
    """How often each slot is missed, with its interval, and what kinds of error there are."""
    from matplotlib.figure import Figure as Plot

    found = json.loads(path.read_text(encoding="utf-8"))
    slots = sorted(found["slots"], key=lambda slot: -slot["omitted"] - slot["stale"])[:MOST_SLOTS]
    plot = Plot(figsize=(7.5, 1.2 + 0.26 * max(6, len(slots))), layout="constrained")
    left, right = plot.subplots(1, 2, width_ratios=(2, 1))
    for place, slot in enumerate(reversed(slots)):
        rate = slot["missed"]
        left.barh(place, rate["rate"], color=COLOURS["lower"], height=0.7)
        spread = [[rate["rate"] - rate["low"]], [rate["high"] - rate["rate"]]]
        left.errorbar(rate["rate"], place, xerr=spread, color="#333333", capsize=2, linewidth=1)
    names = [f"{slot['slot']} ({slot['gold_changes']})" for slot in reversed(slots)]
    left.set_yticks(range(len(slots)), names, fontsize=7)
    left.set_xlabel("missed (% of gold changes)")
    kinds = list(found["kinds"].items())
    right.barh(range(len(kinds)), [count for _, count in reversed(kinds)], color=COLOURS["all"], height=0.7)
    right.set_yticks(range(len(kinds)), [kind for kind, _ in reversed(kinds)], fontsize=7)
    right.set_xlabel("wrong slots")
    for axes in (left, right):
        _calm(axes)
    caption = "On labelled target dialogues, each turn given its gold state; whiskers: Wilson 95 %."
    return Figure("What the annotator gets wrong", plot, caption)


def detection(folder: Folder) -> Figure:
    """AUROC of every ranking on every set of errors."""
    from matplotlib.figure import Figure as Plot

    result = folder.result()
    sets = [name for name in ("val", "annotator", "outside") if f"{name}/base" in result]
    methods = sorted(
        {key.split("/")[1] for key in result if key.startswith(f"{sets[-1]}/") and key.endswith("/auroc")},
        key=lambda method: result[f"{sets[-1]}/{method}/auroc"],
    )
    plot = Plot(figsize=(7.5, 1 + 0.24 * len(methods)), layout="constrained")
    axes = plot.subplots()
    for name, marker, colour in zip(sets, "o^s", ("#b5b5b5", "#35618f", "#c9822b")):
        values = [result[f"{name}/{method}/auroc"] for method in methods]
        axes.plot(values, range(len(methods)), marker, color=colour, label=name)
    axes.axvline(0.5, color="#999999", linewidth=0.8)
    axes.set_yticks(range(len(methods)), methods, fontsize=7)
    axes.set_xlabel("AUROC: chance that a wrong turn is doubted more than a right one")
    axes.legend(frameon=False, fontsize=8)
    _calm(axes)
    caption = "Rankings of annotated turns; rule_ ones need no model. Outside: another model's output."
    return Figure("Who finds the wrong annotations", plot, caption)


def _there(folder: Folder, name: str) -> bool:
    return (folder.dir / "arrays" / f"{name}.npy").exists()


def _calm(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="both", color="#e6e6e6", linewidth=0.6)
    axes.set_axisbelow(True)
