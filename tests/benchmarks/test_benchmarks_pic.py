"""The bench's problem and what it says of peers that are missing."""

import time

import numpy as np

from benchmarks import pic as bench


def test_speed_is_counted_in_pushes(monkeypatch):
    monkeypatch.setattr(bench, "CELLS", 300)
    monkeypatch.setattr(bench, "ROUNDS", 2)
    assert bench.warm_plasma(np.float32).count() == 2 * 300 * bench.PPC
    assert 1 < bench.speed(np.float32, 1, time.process_time) < 1e4


def test_a_missing_peer_is_null_with_the_way_to_get_it(monkeypatch):
    monkeypatch.setattr(bench.importlib.util, "find_spec", lambda name: None)
    found = bench.peers()
    assert set(found["peers"]) == {"pipic", "jaxincell"}
    assert all(rate is None for rate in found["peers"].values())
    assert all("bench-ready" in note for note in found["peer_notes"].values())


def test_what_a_peer_writes_stays_out_of_the_way(monkeypatch, tmp_path):
    script = tmp_path / "peers/json_peer.py"
    script.parent.mkdir()
    script.write_text("open('log.txt', 'w').close(); print('{\"mpush_per_s\": 2.5}')")
    monkeypatch.setattr(bench, "__file__", str(tmp_path / "bench.py"))
    monkeypatch.setattr(bench, "PEERS", {"json": (1, 1, 1)})
    monkeypatch.chdir(tmp_path)
    assert bench.peers()["peers"] == {"json": 2.5}
    assert not list(tmp_path.rglob("log.txt"))
