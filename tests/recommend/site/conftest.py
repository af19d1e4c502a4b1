"""A site on the embedded books: as files, as an application in this process, and as processes of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from lineshaft.recommend.site.app import application
from lineshaft.recommend.site.artefact import Artefact, open_artefact
from lineshaft.recommend.site.counters import Counters
from lineshaft.recommend.site.samples import build_books
from lineshaft.recommend.site.serving import Serving, serving
from lineshaft.recommend.site.shelf import Shelf

CHROMIUM = Path("/usr/bin/chromium")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
)


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    return build_books(tmp_path_factory.mktemp("site") / "artefact")


@pytest.fixture(scope="session")
def artefact(folder) -> Artefact:
    return open_artefact(folder)


@pytest.fixture(scope="session")
def client(folder) -> TestClient:
    """The application without its rate limit."""
    return TestClient(application(Shelf(lambda: folder), Counters(), rate=0))


@pytest.fixture(scope="session")
def served(folder, tmp_path_factory) -> Iterator[Serving]:
    """The command as an owner gives it."""
    with serving(tmp_path_factory.mktemp("served"), ["--model", str(folder), "--rate", "0"]) as site:
        yield site


@pytest.fixture(scope="session")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not installed")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=str(CHROMIUM), args=QUIET)
        yield opened
        opened.close()
