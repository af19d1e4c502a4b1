"""What an accuracy matrix says about a stream.

a[t, i] is the accuracy on task i after task t, also where i is not learned yet. The literature calls two
different numbers forgetting, so both are always given.
"""

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


def average(a: Matrix) -> float:
    """Mean accuracy over the tasks after the last one."""
    return float(a[-1].mean())


def forgetting_max(a: Matrix) -> float:
    """Mean loss against the best accuracy a task ever had, over all rows; the last task is left out.

    Chaudhry et al., arXiv 1801.10112, except that the best is taken over the rows before the task too, as
    published code does: features may serve a task best before it is learned.
    """
    return 0.0 if len(a) < 2 else float((a.max(0) - a[-1])[:-1].mean())


def forgetting_diagonal(a: Matrix) -> float:
    """Mean loss against the accuracy right after a task was learned; negative where later tasks help it."""
    return 0.0 if len(a) < 2 else float((a.diagonal() - a[-1])[:-1].mean())


def backward_transfer(a: Matrix) -> float:
    """What later tasks add to earlier ones (Lopez-Paz and Ranzato, arXiv 1706.08840): minus the above."""
    return 0.0 - forgetting_diagonal(a)
