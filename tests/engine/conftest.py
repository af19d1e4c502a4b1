"""Toy experiments as plain files, and the command line as a person calls it."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from command import command

TOYS = Path(__file__).parent / "toys"
LINESHAFT = [sys.executable, "-c", "from lineshaft.cli import main; main()"]


@pytest.fixture
def toy() -> Callable[[str], str]:
    """Address of a toy: toy("walk") -> .../toys/walk.py."""
    return lambda name: str(TOYS / f"{name}.py")


@pytest.fixture
def lineshaft(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """The command in a process of its own, its runs below the test's folder; `under` another program."""

    def call(
        *words: str, timeout: float = 120, under: Sequence[str] = ()
    ) -> subprocess.CompletedProcess[str]:
        if not under:
            return command(words, tmp_path, timeout)
        return subprocess.run(
            [*under, *LINESHAFT, *words], cwd=tmp_path, capture_output=True, text=True, timeout=timeout
        )

    return call
