"""Pictures of a finished `recommend.guest`: whom and what it serves, not only how well on average."""

from dataclasses import dataclass
from pathlib import Path

import matplotlib.figure
import numpy as np
from matplotlib.axes import Axes

from lineshaft.engine import Figure
from lineshaft.recommend.evaluate.ranks import Ranks

COLOURS = {"model": "#1f5f8b", "popularity": "#b0762a", "oracle": "#6b7f5e"}
LABELS = {"model": "this model", "popularity": "popularity", "oracle": "planted answer"}


@dataclass(frozen=True)
class Stage:
    """What one stage saved."""

    ranks: dict[str, Ranks]
    """`model`, `popularity` and, for the generated catalogue, `oracle`."""
    basket_sizes: np.ndarray
    """(users,)"""
    likes: np.ndarray
    """(items,) users who like the item in the training data."""


def read(folder: Path, stage: str) -> Stage:
    """The arrays of `stage` in a run's folder."""
    arrays = folder / "arrays"
    found = {name: arrays / f"{stage}_ranks_{name}.npy" for name in COLOURS}
    ranks = {name: Ranks(*np.load(path).T) for name, path in found.items() if path.exists()}
    return Stage(ranks, np.load(arrays / f"{stage}_basket_sizes.npy"), np.load(arrays / f"{stage}_likes.npy"))


def by_length(stages: dict[str, Stage]) -> Figure:
    """Recall against the length of the list."""
    plot, panels = _panels(stages, "length of the list, k", "recall@k, mean over users")
    for panel, stage in zip(panels, stages.values()):
        lengths = np.unique(np.geomspace(1, len(stage.likes) / 2, 40).astype(int))
        for name, ranks in stage.ranks.items():
            curve = [ranks.recall(k).mean() for k in lengths]
            panel.plot(lengths, curve, color=COLOURS[name], label=LABELS[name])
        panel.plot(lengths, lengths / len(stage.likes), color="0.6", ls=":", label="chance")
        panel.set_xscale("log")
        _plain_ticks(panel, len(stage.likes) / 2)
    panels[0].legend(frameon=False)
    caption = "Share of the held-out items found among the first k of the whole catalogue, seen items masked."
    return Figure("Recall by length of the list", plot, caption)


def by_basket(stages: dict[str, Stage]) -> Figure:
    """Recall@100 against the number of items the model was shown."""
    plot, panels = _panels(stages, "items in the basket", "recall@100, mean over users")
    for panel, stage in zip(panels, stages.values()):
        for name, ranks in stage.ranks.items():
            _bars(panel, name, stage.basket_sizes[ranks.users], ranks.recall(100), bins=6)
    panels[0].legend(frameon=False)
    caption = (
        "Users in up to six groups of about equal number by basket size; bars are 95 % intervals over users."
    )
    return Figure("Who is served: recall by basket size", plot, caption)


def by_popularity(stages: dict[str, Stage]) -> Figure:
    """Share of an item's fans who find it, against the item's popularity."""
    plot, panels = _panels(stages, "users who like the item (training data)", "recall@100, mean over items")
    for panel, stage in zip(panels, stages.values()):
        for name, ranks in stage.ranks.items():
            _bars(panel, name, stage.likes[np.unique(ranks.item)], ranks.item_recall(100), bins=10)
        panel.set_xscale("symlog", linthresh=1)
        _plain_ticks(panel, stage.likes.max())
    panels[0].legend(frameon=False)
    caption = (
        "Held-out items in up to ten groups of about equal number by popularity; bars are 95 % intervals "
        "over items. A line that climbs to the right says that the model leans on what everyone likes."
    )
    return Figure("What is found: recall by popularity of the item", plot, caption)


def _panels(stages: dict[str, Stage], x: str, y: str) -> tuple[matplotlib.figure.Figure, list[Axes]]:
    """One panel a stage, side by side, on one scale of recall."""
    plot = matplotlib.figure.Figure(figsize=(9, 3.6), layout="constrained")
    panels = list(plot.subplots(1, len(stages), sharey=True))
    for panel, title in zip(panels, stages):
        panel.set(title=title, xlabel=x, ylim=(0, 1))
        panel.spines[["top", "right"]].set_visible(False)
        panel.grid(axis="y", alpha=0.25)
    panels[0].set_ylabel(y)
    return plot, panels


def _plain_ticks(panel: Axes, largest: float) -> None:
    """1, 3, 10, 30, ... instead of powers of ten on a logarithmic axis."""
    ticks = [tick for tick in (1, 3, 10, 30, 100, 300, 1000, 3000, 10000) if tick <= largest]
    panel.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    panel.minorticks_off()


def _bars(panel: Axes, name: str, sizes: np.ndarray, recall: np.ndarray, bins: int) -> None:
    """Mean recall with its 95 % interval in groups of about equal number by size."""
    edges = np.unique(np.quantile(sizes, np.linspace(0, 1, bins + 1)))[1:-1]
    group = np.searchsorted(edges, sizes, side="left")
    parts = [(sizes[group == g], recall[group == g]) for g in np.unique(group)]
    centre = [part.mean() for part, _ in parts]
    half = [1.96 * values.std() / np.sqrt(len(values)) for _, values in parts]
    mean = [values.mean() for _, values in parts]
    panel.errorbar(centre, mean, half, color=COLOURS[name], label=LABELS[name], marker="o", ms=4, capsize=2)
