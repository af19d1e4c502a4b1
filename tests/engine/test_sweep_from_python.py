"""lineshaft.sweep and lineshaft.runs: what the command line does, for people who write Python."""

import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples/sweep.py"
TWICE = """
import sys
import lineshaft
from lineshaft.engine.spec.experiment import find
if __name__ == "__main__":
    first = lineshaft.sweep(sys.argv[1], "steps=2", "seed=0..1", workers=1)
    configs = [find(sys.argv[1]).config(steps=2, seed=seed) for seed in (1, 2)]
    both = lineshaft.sweep(configs, workers=1)
    print(sorted(first["seed"]), sorted(both["seed"]), set(both["state"]), len(lineshaft.runs()))
"""


def called(home, *words):
    return subprocess.run([sys.executable, *words], cwd=home, capture_output=True, text=True, timeout=120)


def test_the_example_prints_a_row_a_rate(tmp_path):
    done = called(tmp_path, str(EXAMPLE))
    assert done.returncode == 0, done.stderr
    assert "val/accuracy" in done.stdout and "shape: (2, 2)" in done.stdout


def test_words_and_configurations_give_the_rows_of_their_own_runs(tmp_path, toy):
    (tmp_path / "twice.py").write_text(TWICE)
    done = called(tmp_path, "twice.py", toy("walk"))
    assert done.stdout == "[0, 1] [1, 2] {'done'} 3\n", done.stderr
