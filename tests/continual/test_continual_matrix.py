"""A matrix small enough to do by hand, in which the two definitions of forgetting differ."""

import numpy as np
import pytest

from lineshaft.continual import matrix

A = np.array(
    [
        [90.0, 70.0, 60.0],
        [80.0, 60.0, 65.0],
        [75.0, 64.0, 99.0],
    ]
)


def test_by_hand() -> None:
    assert matrix.average(A) == pytest.approx((75 + 64 + 99) / 3)
    assert matrix.forgetting_max(A) == pytest.approx(((90 - 75) + (70 - 64)) / 2)
    assert matrix.forgetting_diagonal(A) == pytest.approx(((90 - 75) + (60 - 64)) / 2)
    assert matrix.backward_transfer(A) == pytest.approx(-5.5)


def test_a_single_task_forgets_nothing() -> None:
    assert matrix.forgetting_max(A[:1, :1]) == matrix.forgetting_diagonal(A[:1, :1]) == 0
