"""What somebody who means harm may send, and what becomes of the site and of its other guests."""

import gzip
import os
import signal
import socket
import time
import zipfile
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from starlette.testclient import TestClient

from lineshaft.recommend.site.app import application
from lineshaft.recommend.site.counters import Counters
from lineshaft.recommend.site.guard import HEADERS, Rates
from lineshaft.recommend.site.serving import serving
from lineshaft.recommend.site.shelf import Shelf

QUICK = """
from lineshaft.recommend.site import connection
connection.FIRST, connection.PACE, connection.ANSWERED = 1.0, 1e6, 2.0
"""
IN_A_BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture(scope="module")
def impatient(folder, tmp_path_factory):
    """The site with a patience of a second."""
    options = ["--model", str(folder), "--rate", "0"]
    with serving(tmp_path_factory.mktemp("impatient"), options, QUICK) as site:
        yield site


def raw(address: str, data: bytes, seconds: float = 8, more: bytes = b"", every: float = 0.3) -> bytes:
    """Send bytes, then some more now and then; what comes back until the other side ends it."""
    host, _, port = address.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=seconds) as connection:
        connection.sendall(data)
        connection.settimeout(every)
        found, end = b"", time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                part = connection.recv(65536)
                if not part:
                    return found
                found += part
            except TimeoutError:
                try:
                    connection.sendall(more)
                except OSError:
                    return found
            except OSError:
                return found
        raise AssertionError("the connection was not ended")


@pytest.mark.parametrize(
    ("sent", "more"),
    [
        (b"", b""),
        (b"GET / HTTP/1.1\r\nhost: x\r\n", b"a: b\r\n"),
        (b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5000\r\n\r\na", b"a"),
        (b"POST /import HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
    ],
    ids=["nothing", "header", "body", "chunks"],
)
def test_who_sends_slowly_is_cut_off(impatient, sent, more):
    began = time.monotonic()
    assert b" 200 " not in raw(impatient.address, sent, 8, more)
    assert time.monotonic() - began < 6


def test_a_thousand_slow_clients_keep_nobody_waiting(served):
    host, _, port = served.address.removeprefix("http://").partition(":")
    slow = [socket.create_connection((host, int(port))) for _ in range(900)]
    for connection in slow:
        connection.sendall(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n")
    assert httpx.get(f"{served.address}/", timeout=5).status_code == 200
    for connection in slow:
        connection.close()


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET /" + b"a" * 50_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n", b"431"),
        (b"GET / HTTP/1.1\r\nhost: x\r\na: " + b"b" * 10_000_000, b"431"),
        (b"GET / HTTP/1.1\r\nhost: x\r\n" + b"a: b\r\n" * 100_000, b"431"),
        (b"\x16\x03\x01 not http", b"400"),
        (b"GET /\xff\xfe HTTP/1.1\r\nhost: x\r\n\r\n", b"400"),
        (b"CONNECT evil:80 HTTP/1.1\r\nhost: x\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nabcdef", b"400"),
    ],
    ids=["address", "header", "headers", "tls", "bytes", "connect", "lengths"],
)
def test_a_header_that_is_too_long_or_none_is_refused(impatient, data, status):
    host, _, port = impatient.address.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=8) as connection:
        try:
            connection.sendall(data)
        except OSError:
            return  # cut off while it was still sending
        try:
            answer = connection.recv(65536)
        except ConnectionResetError:
            return
    assert answer.split()[1] == status and b"content-security-policy" in answer


def test_the_site_is_none_the_worse(impatient):
    """After all of the above."""
    assert httpx.get(f"{impatient.address}/health").json() == {"status": "ok"}
    for worker in impatient.workers():
        text = Path(f"/proc/{worker}/status").read_text()
        assert int(text.partition("VmRSS:")[2].split()[0]) < 600_000, "kB"


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2fapp.py",
        "/static/%2e%2e%2f%2e%2e%2fbooks%2fbooks.json",
        "/static//etc/passwd",
        "/static/%00",
        "/..%2f..%2fetc/passwd",
        "//etc/passwd",
        "/static/site.css%00.html",
        "/static",
        "/static/",
    ],
)
def test_no_path_leads_out_of_the_static_files(served, path):
    answer = raw(served.address, f"GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
    assert answer.split()[1] == b"404" and b"root:" not in answer and b"import" not in answer


@pytest.mark.parametrize("path", ["/how-it-works/", "/api/v1/about/", "/nothing", "/static"])
def test_no_answer_names_the_host_that_a_request_names(client, path):
    answer = client.get(path, headers={"Host": "evil.test"}, follow_redirects=False)
    assert answer.status_code == 404 and "evil" not in str(answer.headers) + answer.text


@pytest.mark.parametrize("path", ["/", "/how-it-works", "/health"])
def test_head_is_get_without_a_body(served, path):
    """Probes ask so."""
    whole, head = (httpx.request(method, served.address + path) for method in ("GET", "HEAD"))
    assert head.status_code == 200 and head.content == b""
    assert head.headers["content-length"] == whole.headers["content-length"]


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "PUT", "PATCH", "DELETE"])
def test_other_methods_are_refused_with_a_page_for_people(client, method):
    answer = client.request(method, "/", headers=IN_A_BROWSER)
    assert answer.status_code == 405 and "<h1>" in answer.text and "/static/site.css" in answer.text
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "fields",
    [
        {"basket": [f"nothing-{n}" for n in range(10_000)]},
        {"basket": ["emma"] * 10_000},
        {"count": ["1", "2", "x"], "popularity": ["9", "1"], "do": ["more", "clear"]},
        {"q": "%' OR 1=1 --"},
        {"q": "_" * 200},
        {"q": "%" * 200},
        {"q": "a" * 5000},
        {"q": "\u202eabc\u0000\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16")},
        {"only": ["' OR '1'='1", "fantasy"], "without": ["\\"]},
        {"members": "٣", "popularity": "-0"},
        {"do": "add:" + "x" * 5000},
    ],
)
def test_a_page_comes_whatever_a_form_holds(client, fields):
    answer = client.post("/", data=fields)
    assert answer.status_code == 200 and len(answer.content) < 400_000


def test_a_search_has_no_wildcards(client):
    for text in ("%", "_", "*", "%%%", ".*"):
        assert client.post("/api/v1/search", json={"text": text}).json() == []


@pytest.mark.parametrize("name", ["list.zip", "list.xml.gz", "list.csv"])
def test_what_is_packed_or_broken_is_refused_in_a_sentence(client, name):
    packed = BytesIO()
    if name.endswith("zip"):
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("bomb.txt", b"\0" * 40_000_000)
    elif name.endswith("gz"):
        packed.write(gzip.compress(gzip.compress(b"\0" * 40_000_000)))
    else:
        packed.write(b"title,score\n" + b'"' + b"a" * 1_000_000)
    answer = client.post("/import", files={"file": (name, packed.getvalue())})
    assert answer.status_code == 200 and 'id="done" class="done">Th' in answer.text


def test_a_flood_of_lists_costs_more_and_the_queue_is_short(folder):
    rates = Rates(rate=2.0, burst=60.0)
    assert [rates.allow("a", 0.0, 10) for _ in range(8)] == [True] * 6 + [False] * 2
    assert Rates(rate=1.0, burst=1.0).allow("2001:db8::1", 0.0)
    same = Rates(rate=1.0, burst=1.0)
    assert same.allow("2001:db8::1", 0.0) and not same.allow("2001:db8::2", 0.0), "one network, one guest"
    assert same.allow("2001:db8:0:1::1", 0.0) and same.allow("::ffff:10.0.0.1", 0.0)
    app = application(Shelf(lambda: folder), Counters(), rate=0)
    full = TestClient(app)
    app.app.state.desk.waiting = 8
    assert full.post("/api/v1/import", json={"text": "Emma"}).status_code == 503
    assert full.post("/import", data={"list": "Emma"}, headers=IN_A_BROWSER).status_code == 503
    app.app.state.desk.waiting = 0
    assert full.post("/import", data={"list": "Emma"}).status_code == 200
    app.held = 119_999_999
    assert full.post("/import", data={"list": "Emma" * 100}).status_code == 503
    app.held = 0
    assert full.post("/import", data={"list": "Emma"}).status_code == 200 and app.held == 0


def test_a_list_of_thousands_fills_the_basket_and_the_rest_is_known(client, folder, monkeypatch):
    from lineshaft.recommend.site import visit

    monkeypatch.setitem(visit.MOST, "basket", 3)
    monkeypatch.setattr(visit, "MOST_BASKET", 3)
    page = client.post("/import", data={"list": "Emma\nDracula\nKim\nUlysses\nWalden"}).text
    assert page.count('name="basket"') == 2 * 3 and page.count('name="seen"') == 2 * 2


def test_workers_whose_parent_was_killed_end(folder, tmp_path):
    with serving(tmp_path / "site", ["--model", str(folder), "--workers", "2"]) as site:
        workers = site.workers()
        os.kill(site.process.pid, signal.SIGKILL)
        site.process.wait()
        end = time.monotonic() + 15
        while any(alive(worker) for worker in workers) and time.monotonic() < end:
            time.sleep(0.1)
        assert not any(alive(worker) for worker in workers)


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
