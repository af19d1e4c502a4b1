"""A wrong request: one screen, the value, the way out, exit code 2, nothing made, no traceback."""

import json

import pytest

from lineshaft.engine.store import folders

HOSTILE = ["a/b", "../../etc", "-rf", "über/ñ", "x" * 10_000, "line\nbreak", "[1", '"', "a=b", "{}", ".", "~"]


def refused(done, *says: str) -> None:
    assert done.returncode == 2, (done.returncode, done.stderr)
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) < 25
    assert done.stdout == ""
    for text in says:
        assert text in done.stderr


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["run", "plasma.simulat"], "did you mean plasma.simulate"),
        (["run", "./nowhere.py"], "no such file"),
        (["run", "WALK", "lrr=1"], "did you mean lr"),
        (["run", "WALK", "lr=fast"], "lr=fast"),
        (["run", "WALK", "lr=-1"], "greater than 0"),
        (["run", "WALK", "lr=1,2"], "sweep"),
        (["run", "WALK", "lr"], "key=value"),
        (["sweep", "WALK", "seed=0..999999999"], "1,000,000,000 values"),
        (["sweep", "WALK", "seed=0..9999", "steps=0..9999"], "100,000,000 cells"),
        (["sweep", "continual.tables:nothing"], "no table"),
        (["sweep", "WALK", "--slurm", "color=red"], "color"),
        (["bench", "fast"], "no bench fast"),
        (["run", "WALK", "--track", "notes"], "notes"),
    ],
)
def test_wrong_requests(toy, lineshaft, tmp_path, words, says):
    refused(lineshaft(*(toy("walk") if w == "WALK" else w for w in words)), says)
    assert list(folders(tmp_path / "runs")) == []


def test_an_experiment_file_that_is_none(lineshaft, tmp_path):
    (tmp_path / "empty.py").write_text("")
    refused(lineshaft("run", "./empty.py"), "has no Config")
    (tmp_path / "broken.py").write_text("import nowhere_to_be_found")
    refused(lineshaft("run", "./broken.py"), "nowhere_to_be_found")
    (tmp_path / "torn.py").write_text("def run(:")
    refused(lineshaft("run", "./torn.py"), "torn.py")


def test_hostile_values_run_and_come_back(toy, lineshaft, tmp_path):
    words = ["text=" + ",".join(json.dumps(v) for v in HOSTILE)]
    done = lineshaft("sweep", toy("walk"), *words, "steps=1")
    assert done.returncode == 0, done.stderr
    runs = list(folders(tmp_path / "runs"))
    assert sorted(f.config()["text"] for f in runs) == sorted(HOSTILE)
    assert all(len(f.name.encode()) <= 200 for f in runs)
    listed = lineshaft("ls", "--json")
    assert len(json.loads(listed.stdout)) == len(HOSTILE)


def test_a_changed_default_is_refused_with_both_values(toy, lineshaft, tmp_path):
    assert lineshaft("run", toy("walk")).returncode == 0
    path = tmp_path / "runs/walk/seed=0/config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"lr": 0.5}))
    refused(lineshaft("run", toy("walk")), "0.5 -> 0.1", "rename")


def test_a_runs_folder_that_is_a_file(toy, lineshaft, tmp_path):
    (tmp_path / "runs").write_text("not a folder")
    refused(lineshaft("run", toy("walk")), "runs")


def test_a_damaged_config_is_named(toy, lineshaft, tmp_path):
    assert lineshaft("run", toy("walk")).returncode == 0
    (tmp_path / "runs/walk/seed=0/config.json").write_text("{")
    refused(lineshaft("run", toy("walk")), "config.json")
