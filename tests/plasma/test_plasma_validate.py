"""Every check of plasma.validate holds, and one that is broken is counted."""

import numpy as np
import pytest

from lineshaft.engine import Options
from lineshaft.engine.run.execute import execute
from lineshaft.plasma import theory
from lineshaft.plasma.experiments import validate
from lineshaft.plasma.validation.checks import CHECKS, tolerance


@pytest.mark.parametrize("real", [np.float64, np.float32])
@pytest.mark.parametrize("name", list(CHECKS))
def test_the_solver_agrees_with_theory(name, real):
    measured, expected = CHECKS[name](real)
    error = abs(measured / expected - 1) if expected else abs(measured)
    assert error <= tolerance(name, real)


def test_theory_knows_what_textbooks_say():
    """Landau's root at k lambda_D = .5; filamentation at most v / sqrt(gamma); a mirror as piston."""
    root = theory.langmuir_root(0.5)
    assert root.real == pytest.approx(1.4156619, abs=1e-6) and root.imag == pytest.approx(
        -0.1533595, abs=1e-6
    )
    assert theory.weibel_growth(1.0, 0.1, 1e3) == pytest.approx(0.1 * (1 - 0.01) ** 0.25, rel=1e-4)
    assert theory.hole_boring_speed(10, 20, 1836, 1.0) == pytest.approx(0.0369 / 1.0369, rel=1e-3)


def test_a_check_that_misses_its_tolerance_is_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(
        validate, "CHECKS", {"gauss": lambda real: (1.0, 0.0), "restart": lambda real: (0.0, 0.0)}
    )
    folder, state = execute("plasma.validate", validate.Config(), tmp_path, Options())
    assert state == "done" and folder.result()["failed"] == 1
