"""Where a result came from, stored without waste."""

import shutil

from lineshaft.engine.run.execute import execute
from lineshaft.engine.run.options import Options
from lineshaft.engine.spec.experiment import find


def test_a_diff_is_stored_once_for_all_runs_and_goes_along_with_each(toy, tmp_path):
    experiment, runs = find(toy("walk")), tmp_path / "runs"
    diff = "-    lr = 0.1\n+    lr = 0.2\n" * 1000
    options = Options(origin={"experiment": experiment.address, "commit": "c0ffee", "diff": diff})
    folders = [execute(toy("walk"), experiment.config(steps=1, seed=s), runs, options)[0] for s in range(5)]
    (shared,) = (runs / ".diffs").iterdir()
    assert shared.read_text() == diff
    assert shared.stat().st_nlink == 6, "a second name of one file in each run's folder"
    for folder in folders:
        (entry,) = folder.provenance()
        assert (folder.dir / "diffs" / f"{entry['diff']}.patch").read_text() == diff
        assert (folder.dir / "provenance.json").stat().st_size < 4000
    moved = shutil.copytree(folders[0].dir, tmp_path / "elsewhere")
    shutil.rmtree(runs)
    assert (moved / "diffs" / f"{entry['diff']}.patch").read_text() == diff


def test_a_clean_checkout_leaves_no_diff(toy, tmp_path):
    experiment = find(toy("walk"))
    options = Options(origin={"experiment": experiment.address, "commit": "c0ffee", "diff": ""})
    folder, _ = execute(toy("walk"), experiment.config(steps=1), tmp_path, options)
    assert folder.provenance()[0]["diff"] == ""
    assert not (folder.dir / "diffs").exists() and not (tmp_path / ".diffs").exists()
