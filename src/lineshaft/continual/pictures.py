"""Pictures of one finished stream, drawn from its saved accuracy matrices."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from lineshaft.continual.matrix import Matrix
from lineshaft.engine import Figure, Folder

if TYPE_CHECKING:
    from matplotlib.axes import Axes


SIZE = (6.0, 5.0)  # inches; both pictures alike, for they stand side by side


def stream(folder: Folder) -> Iterator[Figure]:
    """The accuracy matrix, and how every task fares while the stream goes on."""
    accuracy = folder.array("accuracy/test_knn_task")
    yield heat_map(accuracy)
    yield curves(accuracy, folder.array("accuracy/test_knn_class"))


def heat_map(accuracy: Matrix) -> Figure:
    """a[t, i] as a picture; the tasks not yet learned lie to the right of the diagonal."""
    from matplotlib.figure import Figure as Canvas

    canvas = Canvas(figsize=SIZE, layout="constrained")
    axes = canvas.subplots()
    tasks = len(accuracy)
    image = axes.imshow(accuracy, cmap="viridis", vmin=min(50.0, float(np.nanmin(accuracy))), vmax=100)
    for (row, column), value in np.ndenumerate(accuracy):
        shade = "black" if value > 85 else "white"
        axes.text(column, row, f"{value:.1f}", ha="center", va="center", color=shade, fontsize=8)
    stairs = np.repeat(np.arange(tasks + 1) - 0.5, 2)  # what lies right of them is not learned yet
    axes.plot(stairs[2:], stairs[1:-1], color="black", lw=1.5)
    names = [str(task + 1) for task in range(tasks)]
    axes.set_xticks(range(tasks), names)
    axes.set_yticks(range(tasks), names)
    axes.set_xlabel("accuracy on task")
    axes.set_ylabel("after training on task")
    canvas.colorbar(image, label="kNN accuracy (%)")
    caption = (
        "Weighted kNN within each task, test images. Right of the line the task is not learned yet; a column "
        "that darkens below it is being forgotten."
    )
    return Figure("Accuracy matrix", canvas, caption)


def curves(accuracy: Matrix, by_class: Matrix) -> Figure:
    """Each task from the moment it is learned, and all classes seen so far together."""
    from matplotlib.figure import Figure as Canvas

    canvas = Canvas(figsize=SIZE, layout="constrained")
    upper, lower = canvas.subplots(2, 1, sharex=True)
    steps = np.arange(1, len(accuracy) + 1)
    for task in range(len(accuracy)):
        upper.plot(steps[task:], accuracy[task:, task], marker="o", ms=4, label=f"task {task + 1}")
    upper.legend(fontsize=8, frameon=False, ncols=2)
    upper.set_title("each task on its own", fontsize=10)
    lower.plot(steps, by_class, color="black", marker="o", ms=4, label="kNN")
    lower.plot(steps, 100 / (2 * steps), color="grey", ls=":", label="chance")
    lower.legend(fontsize=8, frameon=False)
    lower.set_title("all classes seen so far", fontsize=10)
    for axes in (upper, lower):
        dress(axes, steps)
    upper.set_xlabel("")
    caption = "Above: the task is known and two classes compete. Below: all classes seen so far compete."
    return Figure("Along the stream", canvas, caption)


def dress(axes: "Axes", steps: np.ndarray) -> None:
    axes.set_xticks(steps)
    axes.set_xlabel("tasks learned")
    axes.set_ylabel("kNN test accuracy (%)")
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
