"""Toy experiments as plain files, and the command line as a person calls it."""

import os
import subprocess
import sys
from collections.abc import Callable
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
    """The command in a process of its own, its runs below the test's folder.

    `mortal` takes root's rights away; other keywords are added to its environment.
    """

    def call(
        *words: str, timeout: float = 120, mortal: bool = False, **more: str
    ) -> subprocess.CompletedProcess[str]:
        return command(words, tmp_path, timeout, os.environ | more, mortal)

    return call
