"""The bench's problem and what it says of peers that are missing."""

import time

import numpy as np

from lineshaft.plasma import bench


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
