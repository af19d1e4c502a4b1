"""A wrong request: one screen, the value, the way out, exit code 2, nothing made, no traceback."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from finished import finished

from lineshaft.cli.slurm import Watch
from lineshaft.cli.tour import Ticker
from lineshaft.engine import Config, RequestError
from lineshaft.engine.launch.plan import rows_of
from lineshaft.engine.launch.task import task
from lineshaft.engine.run.store import folders
from lineshaft.engine.spec.experiment import find

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
        (["run", "WALK", "text=a,b"], """for one text with a comma write 'text="a,b"'"""),
        (["run", "WALK", "--lr", "0.1"], "write lr=0.1"),
        (["sweep", "WALK", "--lr=0.1,0.2"], "write lr=0.1,0.2"),
        (["sweep", "WALK", "--worker", "2"], "--workers"),
        (["run", "WALK", "lr"], "key=value"),
        (["sweep", "WALK", "seed=0..999999999"], "1,000,000,000 values"),
        (["sweep", "WALK", "seed=0..9999", "steps=0..9999"], "100,000,000 cells"),
        (["sweep", "continual.tables:nothing"], "no table"),
        (["sweep", "recommend.tables:_grid"], "is not a table: missing a required argument: 'data'"),
        (
            ["sweep", "recommend.tables:__name__"],
            "is not a table: 'lineshaft.recommend.tables' is not a callable",
        ),
        (["sweep", "WALK", "--slurm", "color=red"], "color"),
        (["run", "WALK", "--track", "notes"], "notes"),
        (["run", "WALK", "LR=1"], "did you mean lr"),
        (["run", "WALK", 'text="\\ud800"'], "UTF-8"),
        (["run", "WALK", "--device", "banana"], "--device banana"),
        (["run", "WALK", "--threads", "-1"], "--threads"),
        (["sweep", "WALK", "--workers", "-1"], "--workers"),
        (["run"], "plasma.simulate"),
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
    (tmp_path / "zero.py").write_text("ONE = 1\nHALF = 1 / 0\n")
    refused(lineshaft("run", "./zero.py"), "ZeroDivisionError", "zero.py, line 2")
    (tmp_path / "quits.py").write_text("import sys; sys.exit(3)")
    refused(lineshaft("run", "./quits.py"), "SystemExit: 3")
    base = "from lineshaft.engine import Config as Base\nclass Config(Base):\n    lr: int = 'fast'\n"
    (tmp_path / "wrong.py").write_text(base + "def run(config, run): return {}\n")
    refused(lineshaft("run", "./wrong.py"), "a default of its Config is wrong: lr")


def test_a_function_that_returns_something_else_is_no_table():
    for value in (None, "text", [Config(), 3], Config()):
        with pytest.raises(RequestError, match=r"is not a table: it returns .* instead of a list"):
            rows_of(lambda value=value: value, "x.tables:f")
    assert rows_of(lambda: iter([Config()]), "x.tables:f") == [Config()]


def test_a_failed_run_without_a_word_is_reported(toy, lineshaft, tmp_path):
    folder = finished(tmp_path / "runs", state="failed")
    (folder.dir / "error.txt").write_text("\n")
    for verb in ("run", "sweep"):
        done = lineshaft(verb, toy("walk"))
        assert (done.returncode, "no message" in done.stderr) == (1, True), done.stderr
    watch = Watch([task(toy("walk"), find(toy("walk")).config(), tmp_path / "runs")])
    assert (watch.look(), watch.finish()) == (False, 1)
    Ticker([]).tell(folder, "failed")


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
    refused(lineshaft("sweep", toy("walk"), "seed=0,1"), "0.5 -> 0.1", "rename")
    refused(lineshaft("sweep", toy("walk"), "seed=0,1", "--dry-run"), "0.5 -> 0.1", "rename")


def test_two_files_of_one_name_do_not_pass_for_each_other(toy, lineshaft, tmp_path):
    """Their runs would lie in one folder; a file that was moved or copied is still the same."""
    first, other = toy("walk"), tmp_path / "other/walk.py"
    other.parent.mkdir()
    other.write_bytes(Path(first).read_bytes())
    assert lineshaft("run", first).returncode == lineshaft("run", str(other)).returncode == 0
    other.write_text(other.read_text() + "\n# another experiment\n")
    for verb in ("run", "sweep"):
        refused(lineshaft(verb, str(other)), f"is a run of {first}, not of {other}", "--runs")


def test_a_runs_folder_that_is_a_file(toy, lineshaft, tmp_path):
    (tmp_path / "runs").write_text("not a folder")
    refused(lineshaft("run", toy("walk")), "runs")


def test_a_damaged_config_is_named(toy, lineshaft, tmp_path):
    assert lineshaft("run", toy("walk")).returncode == 0
    (tmp_path / "runs/walk/seed=0/config.json").write_text("{")
    refused(lineshaft("run", toy("walk")), "config.json")


@pytest.mark.parametrize(
    ("file", "content"),
    [("config.json", "[]"), ("result.json", "null"), ("result.json", '{"a": "b"}'), ("provenance.json", "3")],
)
def test_json_of_another_shape_is_named(toy, lineshaft, tmp_path, file, content):
    assert lineshaft("run", toy("walk")).returncode == 0
    home = tmp_path / "runs/walk/seed=0"
    (home / file).write_text(content)
    if file == "provenance.json":
        (home / "result.json").unlink()
    refused(lineshaft("run", toy("walk")), file, "restore it or remove the run")
    assert lineshaft("ls").returncode == 0


def test_no_line_of_the_help_is_cut(lineshaft):
    for words in ([], ["data"], ["serve"]):
        shown = lineshaft(*words, "--help").stdout
        assert "Usage: lineshaft" in shown and "..." not in shown.replace("]...", "").replace("ARGS...", "")
        assert "…" not in shown


def test_help_of_run_tells_its_options_and_the_experiments(lineshaft):
    done = lineshaft("run", "--help")
    assert done.returncode == 0
    assert "--retry" in done.stdout
    assert "plasma.simulate" in done.stdout


mortal = pytest.mark.skipif(
    os.geteuid() == 0 and sys.platform != "linux",
    reason="root may read everything, and only Linux takes that away",
)


@mortal
def test_a_folder_that_may_not_be_read_is_named(toy, lineshaft, tmp_path):
    assert lineshaft("run", toy("walk")).returncode == 0
    for folder in (tmp_path / "runs/walk", tmp_path / "runs"):
        folder.chmod(0)
        for words in (["ls"], ["summary"], ["run", toy("walk")], ["sweep", toy("walk")]):
            refused(lineshaft(*words, mortal=True), str(folder.name))
        folder.chmod(0o755)


@mortal
def test_a_report_names_the_files_that_may_not_be_read(toy, lineshaft, tmp_path):
    assert lineshaft("sweep", toy("walk"), "seed=0,1").returncode == 0
    failed = finished(tmp_path / "runs", state="failed", lr=0.2)
    for file in (tmp_path / "runs/walk/seed=0/metrics.jsonl", failed.dir / "error.txt"):
        file.chmod(0)
    done = lineshaft("report", mortal=True)
    assert done.returncode == 0, done.stderr
    html = (tmp_path / "runs/report.html").read_text()
    assert "seed=0/metrics.jsonl: Permission denied" in html and "error.txt" in html
    assert "<polyline" in html


def test_a_package_that_a_run_lacks_is_named_with_what_installs_it(tmp_path):
    hidden = "import sys; sys.modules['implicit'] = None; "
    command = [sys.executable, "-c", hidden + "from lineshaft.cli import main; main()"]
    words = ["run", "recommend.guest", "model=wmf", "--runs", str(tmp_path)]
    done = subprocess.run([*command, *words], capture_output=True, text=True, timeout=120)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "pip install 'lineshaft[recommend]'" in done.stderr
    assert not any(tmp_path.iterdir())
