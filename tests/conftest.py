"""What LINESHAFT_REQUIRE names must not be skipped: there a missing prerequisite is a failure."""

import os
from pathlib import Path

import pytest

REQUIRED = set(filter(None, os.environ.get("LINESHAFT_REQUIRE", "").split(",")))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if (
        report.skipped
        and not hasattr(report, "wasxfail")
        and REQUIRED & {m.name for m in item.iter_markers()}
    ):
        report.outcome = "failed"
        report.longrepr = (
            f"LINESHAFT_REQUIRE forbids this skip: {report.longrepr[2] if report.longrepr else ''}"
        )


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
