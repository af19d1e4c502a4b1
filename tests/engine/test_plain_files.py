"""A plain file is a real module: helpers beside it, worker processes of every kind, tables."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from conftest import LINESHAFT
from lineshaft.engine import Options, RequestError
from lineshaft.engine.run.execute import execute
from lineshaft.engine.run.store import folders
from lineshaft.engine.spec.experiment import address_of, find

HEAD = """
from lineshaft.engine import Config as Base
from helper import twice
class Config(Base):
    "Counts."
    k: int = 1
"""

WAYS = {
    "a helper": "def run(config, run): return {'x': sum(map(twice, range(4)))}",
    "a helper imported late": """
        def run(config, run):
            from late import three
            return {"x": 4 * three}
        """,
    "spawn": """
        import multiprocessing
        def mine(i): return twice(i)
        def run(config, run):
            with multiprocessing.get_context("spawn").Pool(2) as pool:
                return {"x": sum(pool.map(mine, range(4)))}
        """,
    "forkserver": """
        import multiprocessing
        def mine(i): return twice(i)
        def run(config, run):
            with multiprocessing.get_context("forkserver").Pool(2) as pool:
                return {"x": sum(pool.map(mine, range(4)))}
        """,
    "joblib": """
        from joblib import Parallel, delayed
        def mine(i): return twice(i)
        def run(config, run): return {"x": sum(Parallel(n_jobs=2)(delayed(mine)(i) for i in range(4)))}
        """,
    "scikit-learn": """
        import numpy as np
        from sklearn.linear_model import LogisticRegression
        from sklearn.model_selection import cross_val_score
        def mine(model, x, y): return float(twice(6) // 2) * 2
        def run(config, run):
            x = np.arange(40.0)[:, None]
            scores = cross_val_score(LogisticRegression(), x, x[:, 0] > 19, scoring=mine, cv=2, n_jobs=2)
            return {"x": scores.mean()}
        """,
    "a data loader": """
        from torch.utils.data import DataLoader, Dataset
        class Mine(Dataset):
            def __len__(self): return 4
            def __getitem__(self, i): return twice(i)
        def run(config, run):
            return {"x": sum(int(b.sum()) for b in DataLoader(Mine(), num_workers=2))}
        """,
    "a data loader that spawns": """
        from torch.utils.data import DataLoader, Dataset
        class Mine(Dataset):
            def __len__(self): return 4
            def __getitem__(self, i): return twice(i)
        def run(config, run):
            loader = DataLoader(Mine(), num_workers=1, multiprocessing_context="spawn")
            return {"x": sum(int(b.sum()) for b in loader)}
        """,
    "a lambda in a data loader": """
        from torch.utils.data import DataLoader
        def run(config, run):
            loader = DataLoader(range(4), num_workers=2, collate_fn=lambda rows: sum(map(twice, rows)))
            return {"x": sum(loader)}
        """,
}


def written(home: Path, way: str, name: str = "mine.py") -> Path:
    home.mkdir(parents=True, exist_ok=True)
    (home / "helper.py").write_text("def twice(i): return 2 * i\n")
    (home / "late.py").write_text("three = 3\n")
    (home / name).write_text(HEAD + textwrap.dedent(WAYS[way]))
    return home / name


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("verb", ["run", "sweep"])
def test_every_way_of_computing_finds_the_module_by_name(tmp_path, lineshaft, verb, way):
    written(tmp_path / "lab", way)
    done = lineshaft(verb, "lab/mine.py")
    assert done.returncode == 0, done.stderr
    (folder,) = folders(tmp_path / "runs")
    assert folder.result() == {"x": 12.0}, folder.error()
    assert "Warning" not in (folder.dir / "log.txt").read_text()


def test_two_files_of_one_name_and_their_helpers_are_kept_apart(tmp_path):
    results = {}
    for place, factor in (("one", 2), ("two", 5)):
        written(tmp_path / place, "a helper imported late")
        (tmp_path / place / "late.py").write_text(f"three = {factor}")
    found = {place: find(str(tmp_path / place / "mine.py")) for place in ("one", "two")}
    for place in ("one", "two", "one"):
        experiment = found[place]
        folder, _ = execute(experiment.address, experiment.config(), tmp_path / f"{place}.runs", Options())
        results[place] = folder.result()["x"]
        assert address_of(experiment.config()) == experiment.address
    assert results == {"one": 8.0, "two": 20.0}


def test_a_name_that_means_another_module_is_refused(tmp_path):
    for name in ("json", "my.own"):
        written(tmp_path, "a helper", f"{name}.py")
        with pytest.raises(RequestError, match=r"rename"):
            find(str(tmp_path / f"{name}.py"))


def test_a_table_in_a_plain_file_and_in_another_package(tmp_path, lineshaft):
    written(tmp_path, "a helper")
    table = "\ndef table(): return [Config(k=k) for k in (1, 2, 3)]\n"
    with (tmp_path / "mine.py").open("a") as file:
        file.write(table)
    (tmp_path / "paper.py").write_text("from mine import Config" + table)
    for address in ("./mine.py:table", "paper.py:table"):
        done = lineshaft("sweep", address, "--runs", f"{address[-10]}.runs")
        assert done.returncode == 0, done.stderr
        assert [f.name for f in folders(tmp_path / f"{address[-10]}.runs", "mine")] == [
            "k=2,seed=0",
            "k=3,seed=0",
            "seed=0",
        ]
    refused = lineshaft("sweep", "./mine.py:tabel")
    assert refused.returncode == 2
    assert "has no tabel" in refused.stderr


def test_a_table_in_another_package(tmp_path):
    site = tmp_path / "site"
    written(site / "orchard", "a helper", "walk.py")
    (site / "orchard/__init__.py").write_text("")
    walk = (site / "orchard/walk.py").read_text().replace("from helper", "from orchard.helper")
    (site / "orchard/walk.py").write_text(walk)
    (site / "orchard/tables.py").write_text(
        "from orchard.walk import Config\ndef paper(): return [Config(k=k) for k in (1, 2)]"
    )
    info = site / "orchard-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: orchard\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[lineshaft.experiments]\norchard.walk = orchard.walk\n")
    done = subprocess.run(
        [*LINESHAFT, "sweep", "orchard.tables:paper"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    (first, _) = folders(tmp_path / "runs", "orchard.walk")
    assert sorted(json.loads((first.dir / "run.json").read_text())["files"]) == [
        "orchard",
        "orchard.helper",
        "orchard.walk",
    ]
    assert sys.modules.get("orchard") is None
