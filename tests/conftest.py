"""LINESHAFT_REQUIRE=slurm,data: tests with these marks must not be skipped; `everything`: none at all."""

import os
from pathlib import Path

import pytest

REQUIRED = set(filter(None, os.environ.get("LINESHAFT_REQUIRE", "").split(",")))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    forbid(outcome.get_result(), {m.name for m in item.iter_markers()})


@pytest.hookimpl(hookwrapper=True)
def pytest_make_collect_report(collector):
    outcome = yield
    forbid(outcome.get_result(), set())


def forbid(report, marks):
    """Turn a skip that LINESHAFT_REQUIRE forbids into a failure: a prerequisite is missing."""
    if report.skipped and not hasattr(report, "wasxfail") and REQUIRED & {"everything", *marks}:
        why = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome, report.longrepr = "failed", f"LINESHAFT_REQUIRE forbids this skip: {why}"


@pytest.fixture
def data_root() -> Path:
    """The folder of real data sets, for tests marked `data`."""
    root = os.environ.get("LINESHAFT_DATA")
    if not root:
        pytest.skip("LINESHAFT_DATA is not set")
    return Path(root)


@pytest.fixture(autouse=True)
def no_inherited_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test writes where it says, never into the runs of the person who tests."""
    monkeypatch.delenv("LINESHAFT_RUNS", raising=False)
