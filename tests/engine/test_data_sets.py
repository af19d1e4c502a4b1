"""Data sets are fetched from a real server, faults included: only the known file is put in place."""

import hashlib
import json
import re
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from lineshaft.engine import Dataset, RequestError
from lineshaft.engine.data.dataset import datasets, locate
from lineshaft.engine.data.download import get

CONTENT = bytes(range(256)) * 4000
SUM = hashlib.sha256(CONTENT).hexdigest()


class Beach(BaseHTTPRequestHandler):
    """A server whose paths tell what goes wrong."""

    asked: ClassVar[Counter[str]] = Counter()

    def do_GET(self) -> None:
        self.asked[self.path] += 1
        fault = self.path.split("/")[1]
        if fault in ("404", "503"):
            return self.send_error(int(fault))
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        half = CONTENT[: len(CONTENT) // 2]
        self.wfile.write({"cut": half, "other": CONTENT[::-1]}.get(fault, CONTENT))
        return None

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def address():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Beach)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def home(monkeypatch, tmp_path):
    monkeypatch.setenv("LINESHAFT_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tmp_path / "data" / "toys" / "pebbles"


def pebbles(address: str, *paths: str) -> Dataset:
    """A data set with one file for each path of the server."""
    files = [f"part{i}/{path.split('/')[-1]}" for i, path in enumerate(paths)]
    urls = {file: f"{address}/{path}" for file, path in zip(files, paths)}
    return Dataset("pebbles", "toys/pebbles", dict.fromkeys(files, SUM), "a beach", "free", urls)


def test_what_is_missing_is_fetched_once(address, home):
    wanted, told = pebbles(address, "whole/a.bin", "whole/b.bin"), []
    assert get(wanted, told.append) == home == locate(wanted)
    assert told == list(wanted.urls.values())
    assert (home / "part0" / "a.bin").read_bytes() == CONTENT
    before = Counter(Beach.asked)
    get(wanted, told.append)
    assert Beach.asked == before


@pytest.mark.parametrize("fault", ["404", "503", "cut", "other"])
def test_a_fault_names_the_address_and_leaves_nothing(address, home, fault):
    wanted = pebbles(address, "whole/a.bin", f"{fault}/b.bin")
    with pytest.raises(RequestError) as error:
        get(wanted)
    assert f"{address}/{fault}/b.bin: " in str(error.value)
    assert str(home / "part1" / "b.bin") in str(error.value)
    assert sorted(p.name for p in home.rglob("*")) == ["a.bin", "part0"]


def test_a_fault_with_the_first_file_leaves_no_folder(address, home, tmp_path):
    with pytest.raises(RequestError, match="404"):
        get(pebbles(address, "404/a.bin"))
    assert not (tmp_path / "data").exists()


def test_a_server_that_is_not_there_is_an_error_that_names_the_address(home):
    with pytest.raises(RequestError, match=re.escape("http://127.0.0.1:9/whole/a.bin: ")):
        get(pebbles("http://127.0.0.1:9", "whole/a.bin"))


def test_a_damaged_file_is_replaced_but_only_by_the_right_one(address, home):
    (home / "part0").mkdir(parents=True)
    (home / "part0" / "a.bin").write_bytes(b"damaged")
    with pytest.raises(RequestError):
        get(pebbles(address, "other/a.bin"))
    assert (home / "part0" / "a.bin").read_bytes() == b"damaged"
    get(pebbles(address, "whole/a.bin"))
    assert (home / "part0" / "a.bin").read_bytes() == CONTENT


def test_a_file_without_address_must_be_placed_by_hand(home):
    wanted = Dataset("pebbles", "toys/pebbles", {"a.bin": SUM}, "a beach", "free")
    with pytest.raises(RequestError, match=r"Place\n  .*a\.bin\nfrom a beach \(free\)"):
        get(wanted)


def test_every_data_set_of_every_system_is_described():
    found = datasets()
    assert {"cifar10", "woz2", "citeulike-a", "animeulike"} <= set(found)
    for each in found.values():
        assert each.files
        assert each.source
        assert each.licence
        assert all(len(checksum) == 64 for checksum in each.files.values())
        assert each.urls.keys() <= each.files.keys()


def test_the_verbs_list_check_and_refuse(lineshaft, home):
    place = home.parents[1] / "continual"
    place.mkdir(parents=True)
    (place / "cifar10_jpeg95.zip").write_bytes(b"no zip")
    listed = json.loads(lineshaft("data", "ls", "--json").stdout)
    assert {d["name"]: d["complete"] for d in listed}["woz2"] is False
    check = lineshaft("data", "check")
    assert check.returncode == 1
    assert f"WRONG    {place / 'cifar10_jpeg95.zip'}" in check.stdout
    refused = lineshaft("data", "get", "cifar10")
    assert refused.returncode == 2
    assert str(place / "cifar10_jpeg95.zip") in refused.stderr
    assert (place / "cifar10_jpeg95.zip").read_bytes() == b"no zip"
