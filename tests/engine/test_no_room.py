"""A full disk or a folder that refuses: named, with the way out, and nothing is lost."""

import errno
import os
from pathlib import Path

import pytest
from walking import ALWAYS, LEAVER, walk

from lineshaft.engine import Options
from lineshaft.engine.run.checkpoint import Checkpoints
from lineshaft.engine.run.execute import execute
from lineshaft.engine.run.run import Run, append
from lineshaft.engine.run.store import Folder, StorageError, folders, write
from lineshaft.engine.spec.experiment import find


class Full:
    """An array whose bytes find no room, told as numpy tells it."""

    def __array__(self, dtype=None, copy=None):
        raise OSError("300000 requested and 252928 written")


def test_a_folder_that_cannot_be_written_is_named(toy, tmp_path):
    (tmp_path / "walk").write_text("a file where the folder should be")
    with pytest.raises(StorageError, match="walk"):
        walk(toy, tmp_path)


def test_a_full_disk_loses_nothing(tmp_path):
    target = Path("/dev/full")
    if not target.exists():
        pytest.skip("no /dev/full")
    link = tmp_path / "x.json"
    link.write_text("old")
    (tmp_path / f".x.json.{os.getpid()}").symlink_to(target)
    with pytest.raises(StorageError, match="No space left"):
        write(link, "new")
    assert link.read_text() == "old"


def test_an_array_that_finds_no_room_is_no_failure_of_the_run(tmp_path, monkeypatch):
    run = object.__new__(Run)
    run.folder, run.options = Folder(tmp_path), Options()
    with pytest.raises(StorageError, match="252928 written; make room"):
        run.array("x", Full())
    assert os.listdir(tmp_path / "arrays") == []


def test_a_checkpoint_that_finds_no_room_leaves_the_one_before(tmp_path, monkeypatch):
    import torch

    def save(content, file):
        try:
            raise OSError(errno.ENOSPC, "No space left on device")
        except OSError:
            raise RuntimeError("unexpected pos 448 vs 342")  # noqa: B904

    store = Checkpoints(tmp_path)
    store.save(1, "one", None, False)
    monkeypatch.setattr(torch, "save", save)
    with pytest.raises(StorageError, match="No space left"):
        store.save(2, "two", None, False)
    assert os.listdir(tmp_path) == ["last.pt"]
    assert store.load()[:2] == (1, "one")


def test_a_full_disk_met_by_the_experiment_itself_is_no_failure_of_the_run(tmp_path):
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    file = tmp_path / "writer.py"
    file.write_text(LEAVER.replace("sys.exit({code})", "open('/dev/full', 'wb', 0).write(b'x')"))
    address = str(file)
    with pytest.raises(StorageError, match="No space left"):
        execute(address, find(address).config(), tmp_path / "runs", ALWAYS)
    (folder,) = folders(tmp_path / "runs")
    assert folder.state() == "new"


def test_a_line_written_in_part_ends_the_run(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "write", lambda handle, data: 3)
    with pytest.raises(StorageError, match="No space left"):
        append(tmp_path / "metrics.jsonl", b"too long")


def test_a_folder_without_room_for_its_configuration_is_taken_away(toy, tmp_path, monkeypatch):
    def full(path, value, sync=False):
        raise StorageError(path, OSError(errno.ENOSPC, "No space left on device"))

    monkeypatch.setattr("lineshaft.engine.run.execute.write_json", full)
    with pytest.raises(StorageError):
        walk(toy, tmp_path)
    assert list(folders(tmp_path)) == []
