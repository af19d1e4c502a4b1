"""What a run's folder says, read quickly and refused in a line."""

import errno
import json
import time

import pytest
from finished import finished

from lineshaft.engine.errors import Busy, RequestError
from lineshaft.engine.run.checkpoint import Checkpoints
from lineshaft.engine.run.execute import execute
from lineshaft.engine.run.store import Folder, held, mend_tail
from lineshaft.engine.spec.experiment import find

UNLOCKABLE = [errno.ENOLCK, errno.EOPNOTSUPP]


@pytest.mark.parametrize("number", UNLOCKABLE)
def test_a_file_system_that_cannot_lock_is_named_and_no_run_is_running_for_ever(
    toy, tmp_path, monkeypatch, number
):
    def flock(handle: int, how: int) -> None:
        raise OSError(number, "No locks available")

    folder = finished(tmp_path, state="paused")
    (folder.dir / "lock").touch()
    monkeypatch.setattr("fcntl.flock", flock)
    assert not held(folder.dir / "lock")
    assert folder.state() == "paused"
    with pytest.raises(RequestError, match=r"lock: .*cannot lock files: name a folder on another"):
        execute(toy("walk"), find(toy("walk")).config(seed=3), tmp_path)
    assert not (tmp_path / "walk/seed=3").exists()


def test_a_lock_of_another_process_is_still_seen(toy, tmp_path):
    from filelock import FileLock

    folder = finished(tmp_path, state="paused")
    with FileLock(folder.dir / "lock"):
        assert held(folder.dir / "lock") and folder.state() == "running"
        with pytest.raises(Busy):
            execute(toy("walk"), find(toy("walk")).config(), tmp_path)


def with_rows(folder: Folder, rows: list[dict[str, float]], tail: str = "") -> Folder:
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (folder.dir / "metrics.jsonl").write_text(text + tail)
    return folder


@pytest.mark.parametrize("count", [0, 1, 2, 5000])
def test_the_last_row_is_that_of_all_rows(tmp_path, count):
    rows = [{"step": i, "x": i / 7, "text": i * 1.5} for i in range(count)]
    folder = with_rows(finished(tmp_path), rows, tail='{"step": 9999999, "x')
    assert folder.last_row() == (folder.metrics()[-1] if count else {})


def test_the_last_row_has_all_that_was_logged_in_its_step_however_long(tmp_path):
    late = [{"step": 8, f"metric{i}": i} for i in range(5000)]
    folder = with_rows(
        finished(tmp_path), [{"step": i, "x": i} for i in range(9)] + late + [{"step": 8, "x": 1}]
    )
    assert folder.last_row() == folder.metrics()[-1]
    assert folder.last_row()["x"] == 1 and len(folder.last_row()) == 5002


def test_the_last_of_a_million_rows_is_read_from_the_end(tmp_path):
    folder = finished(tmp_path)
    (folder.dir / "metrics.jsonl").write_text(
        "".join(f'{{"step": {i}, "x": 0.5}}\n' for i in range(1_000_000))
    )
    start = time.perf_counter()
    assert folder.last_row() == {"step": 999_999, "x": 0.5}
    assert time.perf_counter() - start < 0.2, "all rows take seconds"


def test_a_damaged_last_row_is_named(tmp_path):
    folder = with_rows(finished(tmp_path), [{"step": 1, "x": 1}], tail="broken\n")
    with pytest.raises(RequestError, match=r"metrics.jsonl:2 is not JSON: b'broken'"):
        folder.last_row()


@pytest.mark.parametrize("torn", ['{"step": 3, "x": 0.', '{"step": 3, "x": 0.5}', "\x00\x00"])
def test_a_torn_last_line_is_cut_and_the_whole_lines_before_it_stay(tmp_path, torn):
    """Also a line that lacks only its end: what follows would be written behind it, as one line."""
    folder = with_rows(finished(tmp_path), [{"step": 1, "x": 1}, {"step": 2, "x": 2}], tail=torn)
    before = folder.metrics()
    mend_tail(folder.dir / "metrics.jsonl")
    assert (folder.dir / "metrics.jsonl").read_bytes().endswith(b'"x": 2}\n')
    assert folder.metrics() == before == [{"step": 1, "x": 1}, {"step": 2, "x": 2}]


def test_a_resumed_run_logs_behind_whole_lines_alone(toy, tmp_path):
    config = find(toy("walk")).config(steps=4)
    folder, _ = execute(toy("walk"), config, tmp_path)
    calm = folder.metrics()
    (folder.dir / "result.json").unlink()
    lines = (folder.dir / "metrics.jsonl").read_text().splitlines()
    (folder.dir / "metrics.jsonl").write_text("\n".join(lines[:2]) + "\n" + lines[2][:9])
    assert Checkpoints(folder.dir / "checkpoints").load(restore_random=False)[0] >= 0
    assert execute(toy("walk"), config, tmp_path)[1] == "done"
    assert all(json.loads(line) for line in (folder.dir / "metrics.jsonl").read_text().splitlines())
    assert {row["step"] for row in folder.metrics()} <= {row["step"] for row in calm}
