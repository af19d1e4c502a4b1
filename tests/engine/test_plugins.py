"""Experiments of other packages and plain files run, sweep, survive kills and summarise like ours."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command import command

from lineshaft.engine.run.store import folders
from lineshaft.engine.spec.experiment import known, own

TOYS = Path(__file__).parent / "toys"
COMMAND = [sys.executable, "-c", "from lineshaft.cli import main; main()"]


@pytest.fixture
def elsewhere(tmp_path: Path) -> dict[str, str]:
    """An environment in which another package, `orchard`, is installed and offers orchard.walk."""
    site = tmp_path / "site"
    (site / "orchard").mkdir(parents=True)
    (site / "orchard/__init__.py").write_text('"""Another package."""\n')
    shutil.copy(TOYS / "walk.py", site / "orchard/walk.py")
    info = site / "orchard-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: orchard\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[lineshaft.experiments]\norchard.walk = orchard.walk\n")
    return os.environ | {"PYTHONPATH": str(site)}


@pytest.mark.parametrize("address", ["orchard.walk", "./mine.py"])
def test_they_run_sweep_survive_kills_and_summarise(tmp_path, elsewhere, address):
    shutil.copy(TOYS / "walk.py", tmp_path / "mine.py")

    def call(*words: str) -> subprocess.CompletedProcess[str]:
        return command(words, tmp_path, 200, elsewhere)

    done = call("run", address, "steps=3")
    assert done.returncode == 0, done.stderr
    words = ["sweep", address, "lr=0.1,0.2", "seed=0,1", "steps=30", "sleep=0.03", "--checkpoint-every", "0"]
    launcher = subprocess.Popen(
        [*COMMAND, *words], cwd=tmp_path, env=elsewhere, stderr=subprocess.DEVNULL, start_new_session=True
    )
    deadline = time.monotonic() + 100
    while not any(len(f.metrics()) > 5 and f.state() == "running" for f in folders(tmp_path / "runs")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(launcher.pid, signal.SIGKILL)
    launcher.wait()
    assert call(*words).returncode == 0
    experiment = "mine" if address.endswith(".py") else address
    runs = [f for f in folders(tmp_path / "runs", experiment) if "sleep" in f.name]
    assert len(runs) == 4
    assert all(f.state() == "done" and len(f.metrics()) == 30 for f in runs)
    assert any(len(f.provenance()) == 2 for f in runs)
    summary = call("summary", experiment, "--where", "steps=30", "--json")
    assert summary.returncode == 0, summary.stderr
    assert json.loads(summary.stdout)


def test_a_package_beside_ours_is_known_but_not_one_of_ours(elsewhere, monkeypatch):
    """The contract tests go through `own()`: a foreign package must not be able to fail them."""
    monkeypatch.syspath_prepend(elsewhere["PYTHONPATH"])
    assert "orchard.walk" in known()
    assert not {address for address in own() if address.startswith("orchard")}


def test_an_address_that_two_packages_offer_is_refused(tmp_path, elsewhere):
    site = tmp_path / "other"
    shutil.copytree(Path(elsewhere["PYTHONPATH"]), site)
    (site / "orchard").rename(site / "garden")
    (site / "orchard-1.0.dist-info").rename(site / "garden-1.0.dist-info")
    info = site / "garden-1.0.dist-info"
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: garden\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[lineshaft.experiments]\norchard.walk = garden.walk\n")
    both = elsewhere | {"PYTHONPATH": f"{elsewhere['PYTHONPATH']}{os.pathsep}{site}"}
    for words in (("run", "orchard.walk"), ("sweep", "orchard.walk", "seed=0,1")):
        refused = command(words, tmp_path, 100, both)
        assert refused.returncode == 2
        assert "offered by garden.walk and by orchard.walk" in refused.stderr
