"""The code of an experiment: all of its own project that it imports, nothing else."""

import importlib
import json
import sys
from pathlib import Path

import pytest
from walking import walk

from lineshaft.engine.run.description import code_now, description
from lineshaft.engine.spec.code import code_of
from lineshaft.engine.spec.experiment import find, own

MINE = """
import importlib
from lineshaft.engine import Config as Base
from helper import f
class Config(Base):
    "Doubles."
def run(config, run):
    import lazy
    return {"x": f(1), "y": lazy.y, "z": importlib.import_module("named").z}
"""


def project(home: Path) -> Path:
    """A plain file with a helper that uses another, one imported late, one by name, and a bystander."""
    files = {
        "mine.py": MINE,
        "helper.py": "from deep.end import two\ndef f(x): return two * x",
        "deep/__init__.py": "",
        "deep/end.py": "two = 2",
        "lazy.py": "y = 1",
        "named.py": "z = 1",
        "bystander.py": "import numpy",
        "data.csv": "1",
    }
    for name, text in files.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text)
    return home / "mine.py"


NAMES = {
    "with_name": "x = Path(__file__).with_name('words.json').read_text()",
    "through a name": "HERE = Path(__file__).parent\nx = open(HERE / 'words.json')",
    "os.path": "import os\nx = open(os.path.join(os.path.dirname(__file__), 'words.json'), 'r')",
    "a folder": "HERE = Path(__file__).parent\nx = list((HERE / 'lists').iterdir())",
    "in a folder": "x = (Path(__file__).parent / 'lists' / 'a.txt').read_text()",
    "computed": "def read(name): return (Path(__file__).parent / name).read_text()",
    "a package's": "from importlib.resources import files\nx = files('deep').joinpath('end.csv')",
}


@pytest.mark.parametrize("way", NAMES)
def test_a_file_that_a_source_names_beside_itself_is_in_the_hash(tmp_path, way):
    file = project(tmp_path)
    (tmp_path / "lists").mkdir()
    for name in ("words.json", "lists/a.txt", "deep/end.csv", "other.json"):
        (tmp_path / name).write_text("1")
    helper = tmp_path / ("deep/end.py" if way == "a package's" else "helper.py")
    helper.write_text(f"from pathlib import Path\nfrom deep.end import two\ndef f(x): return x\n{NAMES[way]}")
    before = code_of(file.stem, file, beside=file.parent)
    named = {Path(name).name for name, _ in before.files if "/" in name}
    in_folder, computed = "folder" in way, way == "computed"
    expected = {"a.txt"} if in_folder else {"end.csv"} if way == "a package's" else {"words.json"}
    assert named == (expected | {"other.json", "data.csv"} if computed else expected)
    for path in [path for name, path in before.files if "/" in name]:
        path.write_text("2")
        assert hash_of(file) != before.hash
        path.write_text("1")
    assert hash_of(file) == before.hash


def test_neither_large_files_nor_those_named_elsewhere_are(tmp_path):
    file = project(tmp_path)
    (tmp_path / "big.bin").write_bytes(b"0" * 5_000_001)
    (tmp_path / "out.csv").write_text("1")
    text = "\nfrom pathlib import Path\nbig = Path(__file__).with_name('big.bin')\nopen('out.csv', 'w')\n"
    file.write_text(MINE + text + "above = Path(__file__).parent / '../secret.txt'")
    (tmp_path.parent / "secret.txt").write_text("1")
    assert not [name for name, _ in code_of(file.stem, file, beside=file.parent).files if "/" in name]


def hash_of(file: Path) -> str:
    return code_of(file.stem, file, beside=file.parent).hash


@pytest.mark.parametrize(
    "name", ["mine.py", "helper.py", "deep/__init__.py", "deep/end.py", "lazy.py", "named.py"]
)
def test_everything_a_plain_file_imports_from_its_folder_is_in_the_hash(tmp_path, name):
    file = project(tmp_path)
    before = hash_of(file)
    (tmp_path / name).write_text((tmp_path / name).read_text() + "\nx = 1\n")
    assert hash_of(file) != before


def test_what_it_does_not_import_is_not_and_neither_is_the_place(tmp_path):
    file = project(tmp_path / "here")
    before = hash_of(file)
    (tmp_path / "here/bystander.py").write_text("x = 3")
    (tmp_path / "here/.#helper.py").symlink_to("somebody@here.1234")
    assert hash_of(file) == before == hash_of(project(tmp_path / "there"))


def test_our_systems_hash_what_they_reach_and_not_the_engine():
    for address, module in own().items():
        code = find(address).code
        names = [name for name, _ in code.files]
        assert module in names and "numpy" in code.packages
        assert not any(name.startswith(("lineshaft.engine", "lineshaft.cli")) for name in names)
    assert any("sampl" in name for name, _ in find("recommend.guest").code.files)


def test_a_package_is_followed_inside_and_others_are_named_by_version(tmp_path, monkeypatch):
    site = tmp_path / "site-packages"
    for name, text in {
        "orchard/__init__.py": "",
        "orchard/walk.py": "from . import legs\nfrom .trees import apple\nimport numpy, foreign",
        "orchard/legs.py": "",
        "orchard/trees/__init__.py": "",
        "orchard/trees/apple.py": "from ..legs import *",
        "foreign.py": "",
    }.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(text)
    monkeypatch.syspath_prepend(str(site))
    importlib.invalidate_caches()
    code = code_of("orchard.walk", site / "orchard/walk.py")
    assert {name for name, _ in code.files} == {
        "orchard",
        "orchard.walk",
        "orchard.legs",
        "orchard.trees",
        "orchard.trees.apple",
    }
    assert code.packages == ("foreign", "numpy")
    assert code.versions()["numpy"] == sys.modules["numpy"].__version__
    assert code.root == site


def test_a_package_installed_into_a_folder_of_ones_own_is_named_by_version(tmp_path, monkeypatch):
    site = tmp_path / "libs"
    for name in ("foreign/__init__.py", "foreign/deep.py", "single.py", "mine.py"):
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text("")
    for name in ("foreign-1.0.dist-info", "single-2.0.dist-info"):
        (site / name).mkdir()
    monkeypatch.syspath_prepend(str(site))
    importlib.invalidate_caches()
    (tmp_path / "ed.py").write_text("import foreign.deep, single, mine")
    code = code_of("ed", tmp_path / "ed.py", beside=tmp_path)
    assert ([name for name, _ in code.files], code.packages) == (["ed", "mine"], ("foreign", "single"))


def test_a_run_describes_itself(toy, tmp_path):
    folder, _ = walk(toy, tmp_path, steps=3, lr=0.2)
    told = description(folder)
    assert told == json.loads((folder.dir / "run.json").read_text())
    assert (told["experiment"], told["address"]) == ("walk", toy("walk"))
    assert (told["version"], told["objective"]) == (1, ["val/x", "max"])
    assert told["words"] == ["lr=0.2", "steps=3", "seed=0"]
    assert told["code"] == find(toy("walk")).code.hash == code_now(told)
    assert (told["codes"], told["files"]) == ([told["code"]], {"walk": "walk.py"})
    assert told["packages"].keys() == {"numpy", "pydantic", "torch"}


def test_a_description_that_is_damaged_or_missing_is_empty(toy, tmp_path):
    folder, _ = walk(toy, tmp_path)
    (folder.dir / "run.json").write_text("[")
    assert description(folder) == {}
    assert code_now({}) == ""
