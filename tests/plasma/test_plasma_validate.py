"""Every check of plasma.validate holds, and one that is broken is counted."""

import numpy as np
import pytest

from lineshaft.engine import Options
from lineshaft.engine.run.execute import execute
from lineshaft.plasma.experiments import validate
from lineshaft.plasma.validation.checks import CHECKS, TOLERANCES


@pytest.mark.parametrize("name", list(CHECKS))
def test_the_solver_agrees_with_theory(name):
    measured, expected = CHECKS[name](np.float64)
    error = abs(measured / expected - 1) if expected else abs(measured)
    assert error <= TOLERANCES[name]


def test_a_check_that_misses_its_tolerance_is_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(
        validate, "CHECKS", {"gauss": lambda real: (1.0, 0.0), "restart": lambda real: (0.0, 0.0)}
    )
    folder, state = execute("plasma.validate", validate.Config(), tmp_path, Options())
    assert state == "done" and folder.result()["failed"] == 1
