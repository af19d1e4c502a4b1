"""Threads: pools that read their size once are told it before they are imported."""

import json
import os
import subprocess
import sys

import pytest

AGAIN = """
from lineshaft.engine.run.options import set_threads
set_threads(2)
import numba
numba.np.ufunc.parallel._launch_threads()
set_threads(1)
numba.core.config.reload_config()
assert numba.get_num_threads() == 1
set_threads(2)
assert numba.get_num_threads() == 2
"""
SEEN = """
import os
from lineshaft.engine import Config as Base
THREADS = float(os.environ.get("NUMBA_NUM_THREADS", -1))
class Config(Base):
    "Nothing."
def run(config, run):
    return {"threads": THREADS}
"""


def test_numba_takes_another_number_of_threads_once_they_run():
    pytest.importorskip("numba")
    done = subprocess.run([sys.executable, "-c", AGAIN], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_the_bare_command_sets_threads_before_the_experiment_is_imported(tmp_path):
    (tmp_path / "seen.py").write_text(SEEN)
    environment = os.environ | {"LINESHAFT_THREADS": "1", "LINESHAFT_RUNS": str(tmp_path)}
    environment.pop("NUMBA_NUM_THREADS", None)
    command = [sys.executable, "-m", "lineshaft.engine", "./seen.py"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "seen/seed=0/result.json").read_text()) == {"threads": 1.0}
