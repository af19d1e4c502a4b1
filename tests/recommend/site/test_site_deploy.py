"""The container and the systemd unit, started as an owner starts them; skipped where the tools are missing.

    podman build --format docker -f deploy/site/Containerfile -t lineshaft-site .
    python -m pytest -m container tests/recommend/site/test_site_deploy.py

PODMAN may hold the command with its options, as "podman --runtime runc".
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from test_site_server import API, ASK, until

DEPLOY = Path(__file__).parents[3] / "deploy" / "site"
PODMAN = shlex.split(os.environ.get("PODMAN", "podman"))
IMAGE = "localhost/lineshaft-site"


def podman(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*PODMAN, *words], capture_output=True, text=True, timeout=120)


@pytest.fixture(params=["sample", "model"])
def container(request, folder):
    """The image as its file says, without a writable file system; with and without a model."""
    if shutil.which(PODMAN[0]) is None or podman("image", "exists", IMAGE).returncode:
        pytest.skip(
            f"no podman, or no image {IMAGE}: podman build -f deploy/site/Containerfile -t lineshaft-site ."
        )
    port, name = 18_000 + os.getpid() % 1000, f"lineshaft-site-test-{os.getpid()}"
    model = ["-v", f"{folder}:/model:ro"] if request.param == "model" else []
    options = ["--read-only", "--tmpfs", "/tmp", "--network", "host", "--cgroupns", "host", *model]
    begun = podman("run", "-d", "--name", name, *options, IMAGE, "--workers", "2", "--port", str(port))
    if begun.returncode:
        podman("rm", "-f", name)
        pytest.skip(f"podman starts no containers here: {begun.stderr.strip()[-200:]}")
    yield name, f"http://127.0.0.1:{port}"
    podman("rm", "-f", name)


def answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/health", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.mark.container
def test_the_container_serves_reloads_writes_nothing_and_ends(container):
    name, address = container
    assert until(lambda: answers(address)), podman("logs", name).stderr
    assert len(httpx.post(address + API, json=ASK).json()["items"]) == 10
    assert podman("inspect", name, "--format", "{{.Config.User}}").stdout.strip() == "site"
    podman("kill", "--signal", "HUP", name)
    assert until(lambda: "lineshaft_loads 4" in httpx.get(f"{address}/metrics").text)
    changed = {line.split()[1] for line in podman("diff", name).stdout.splitlines()}
    assert changed <= {"/model", "/etc", "/run", "/run/.containerenv"}
    began = time.monotonic()
    podman("stop", "-t", "20", name)
    assert time.monotonic() - began < 15
    assert podman("inspect", name, "--format", "{{.State.ExitCode}}").stdout.strip() == "0"


@pytest.fixture
def unit(tmp_path) -> Path:
    """The unit with the command that is here."""
    text = (DEPLOY / "lineshaft-site.service").read_text()
    command = Path(sys.executable).with_name("lineshaft")
    own = tmp_path / "lineshaft-site.service"
    own.write_text(
        text.replace(
            "/opt/lineshaft/.venv/bin/lineshaft", str(command if command.exists() else sys.executable)
        )
    )
    return own


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze")
def test_systemd_finds_no_fault_in_the_unit(unit):
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True)
    about = [line for line in (done.stdout + done.stderr).splitlines() if unit.name in line]
    assert about == []
    rated = subprocess.run(
        ["systemd-analyze", "--offline=true", "security", str(unit)], capture_output=True, text=True
    ).stdout
    if found := re.search(r"exposure level[^:]*: (\d+\.\d)", rated):
        assert float(found[1]) < 2.5, "0: all is taken from the site; 10: nothing"


def test_the_image_is_made_of_files_that_are_there():
    """Everything that the container file copies, and nothing that only a developer has."""
    root = DEPLOY.parents[1]
    copied = re.findall(r"^COPY (.+) \S+$", (DEPLOY / "Containerfile").read_text(), re.M)
    names = [name for line in copied for name in line.split()]
    assert names and all((root / name).exists() for name in names)
    entry = re.search(r"^ENTRYPOINT (.+)$", (DEPLOY / "Containerfile").read_text(), re.M)
    assert entry and json.loads(entry[1])[-1] == "site", "what follows are the options of the command"
