"""Operation: a new model under load, a worker's death, a graceful end, and refusals before any of it."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import httpx
import pytest

from lineshaft.engine import RequestError
from lineshaft.recommend.site.artefact import ABOUT, note_figures
from lineshaft.recommend.site.server import Server
from lineshaft.recommend.site.serving import serving
from lineshaft.recommend.site.shelf import Shelf
from lineshaft.recommend.site.source import found

ASK = {"basket": ["emma", "dracula", "kim"]}
API = "/api/v1/recommendations"


class Load:
    """Clients that ask without a pause until they are told to stop."""

    def __init__(self, address: str, clients: int = 4) -> None:
        self.statuses: Counter[object] = Counter()
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self._ask, args=(address,)) for _ in range(clients)]

    def _ask(self, address: str) -> None:
        with httpx.Client(base_url=address, timeout=20) as client:
            while not self.stop.is_set():
                try:
                    self.statuses[client.post(API, json=ASK).status_code] += 1
                except httpx.HTTPError as error:
                    self.statuses[type(error).__name__] += 1

    def __enter__(self) -> "Load":
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join()


def until(condition, seconds: float = 90) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()


def test_a_new_model_is_loaded_and_a_dead_worker_replaced_without_a_failed_request(folder, tmp_path):
    copy = tmp_path / "artefact"
    shutil.copytree(folder, copy)
    with serving(tmp_path / "site", ["--model", str(copy), "--workers", "2", "--rate", "0"]) as site:
        about = lambda: httpx.get(f"{site.address}/api/v1/about").json()["figures"]  # noqa: E731
        with Load(site.address) as load:
            for version in range(1, 4):
                note_figures(copy, {"version": version})
                site.process.send_signal(signal.SIGHUP)
                assert until(lambda v=version: all(about().get("version") == v for _ in range(8)))
            whole = (copy / ABOUT).read_text()
            (copy / ABOUT).write_text("{")
            site.process.send_signal(signal.SIGHUP)
            assert until(lambda: "lineshaft_failed_loads 2" in httpx.get(f"{site.address}/metrics").text)
            assert about()["version"] == 3, "a model that cannot be loaded leaves the old one"
            (copy / ABOUT).write_text(whole)
        assert set(load.statuses) == {200} and load.statuses[200] > 100
        dead = site.workers()[0]
        os.kill(dead, signal.SIGKILL)
        assert until(lambda: len(site.workers()) == 2 and dead not in site.workers())
        assert until(lambda: httpx.get(f"{site.address}/health").status_code == 200)
        log = site.log.read_text()
    assert "another one takes its place" in log and "the model was not changed" in log
    assert site.process.returncode == 0


def test_a_worker_that_dies_while_the_new_model_is_broken_takes_no_other_with_it(folder, tmp_path):
    """The others go on with the old model, and its place is filled as soon as a model can be loaded."""
    copy = tmp_path / "artefact"
    shutil.copytree(folder, copy)
    with serving(tmp_path / "site", ["--model", str(copy), "--workers", "2", "--rate", "0"]) as site:
        whole = (copy / ABOUT).read_text()
        (copy / ABOUT).write_text("{")
        os.kill(site.workers()[0], signal.SIGKILL)
        assert until(lambda: site.log.read_text().count("another one takes its place") >= 2)
        assert httpx.post(site.address + API, json=ASK).status_code == 200
        (copy / ABOUT).write_text(whole)
        loads = lambda: httpx.get(f"{site.address}/metrics").text  # noqa: E731
        assert until(lambda: "lineshaft_loads 3" in loads())
    assert site.process.returncode == 0


def test_a_full_disk_is_told_in_a_line(tmp_path, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("lineshaft.recommend.site.source.build_books", full)
    with pytest.raises(RequestError, match=r"No space left on device.*TMPDIR"):
        found(None, tmp_path, tmp_path)


def test_a_request_in_progress_is_answered_before_the_end(folder, tmp_path):
    slow = """
import asyncio
from lineshaft.recommend.site import guard
real = guard.Body.read
async def read(self, limit):
    await asyncio.sleep(1.0)
    return await real(self, limit)
guard.Body.read = read
"""
    with serving(tmp_path / "site", ["--model", str(folder), "--rate", "0"], slow) as site:
        answers: list[int] = []
        ask = threading.Thread(
            target=lambda: answers.append(httpx.post(site.address + API, json=ASK).status_code)
        )
        ask.start()
        time.sleep(0.4)
        site.process.send_signal(signal.SIGTERM)
        ask.join()
        assert site.process.wait(20) == 0 and answers == [200]


def test_a_model_that_is_not_there_is_refused_with_the_way_out(tmp_path):
    with pytest.raises(RequestError, match="neither a folder nor a run"):
        found("no/such/run", tmp_path, tmp_path)
    with pytest.raises(RequestError, match="make one: lineshaft run"):
        found(str(tmp_path), tmp_path, tmp_path)


def test_a_port_that_is_taken_is_refused_with_the_way_out(folder):
    with socket.create_server(("127.0.0.1", 0)) as other:
        server = Server(lambda: Shelf(lambda: folder), port=other.getsockname()[1])
        with pytest.raises(RequestError, match="take another --port"):
            server._bound()


def test_what_a_worker_cannot_load_ends_the_command_in_a_line(tmp_path):
    code = "from lineshaft.cli import main; main()"
    command = [sys.executable, "-c", code, "serve", "recommend", "--port", "0", "--block", "no-such-file"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=200)
    assert ended.returncode != 0
    assert "block list cannot be read" in ended.stderr and "Traceback" not in ended.stderr


def test_the_artefact_says_what_it_is(folder):
    assert json.loads((folder / ABOUT).read_text())["name"] == "What to read next"


def test_the_unit_and_the_container_give_options_that_exist():
    """Files for operation go stale unseen: every option they pass is one of the command's."""
    deploy = Path(__file__).parents[3] / "deploy" / "site"
    code = "from lineshaft.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "serve", "recommend", "--help"],
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "200"},
    )
    for name in ("lineshaft-site.service", "Containerfile"):
        lines = (deploy / name).read_text().splitlines()
        given = " ".join(line for line in lines if "serve recommend" in line or line.startswith("CMD"))
        options = set(re.findall(r"--[a-z]+", given))
        assert options and all(option in done.stdout for option in options), name
