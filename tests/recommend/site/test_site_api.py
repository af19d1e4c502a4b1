"""The API keeps to its description, repeats nothing of a bad request, and has limits."""

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance
from starlette.testclient import TestClient

from lineshaft.recommend.site.app import application
from lineshaft.recommend.site.counters import Counters
from lineshaft.recommend.site.guard import BODY, HEADERS, Rates
from lineshaft.recommend.site.samples import build_books
from lineshaft.recommend.site.shelf import Shelf

API = "/api/v1/recommendations"


@pytest.fixture(scope="session")
def described(tmp_path_factory):
    folder = build_books(tmp_path_factory.mktemp("schema") / "artefact")
    return schemathesis.openapi.from_asgi(
        "/openapi.json", application(Shelf(lambda: folder), Counters(), rate=0)
    )


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize(
    ("path", "method"),
    [("about", "GET"), ("search", "POST"), ("recommendations", "POST"), ("import", "POST")],
)
def test_no_server_error_and_no_answer_that_is_not_declared(described, path, method, mode):
    """Bodies made from the description, and bodies that break it."""
    operation = described[f"/api/v1/{path}"][method]

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    def check(case):
        # A text that is no list fits the description of an import and is refused all the same.
        case.call_and_validate(excluded_checks=[positive_data_acceptance] if path == "import" else [])

    if method == "POST" or mode == GenerationMode.POSITIVE:
        check()


def test_a_basket_gets_items_with_reasons_and_unknown_ids_are_counted_by_place(client):
    answer = client.post(API, json={"basket": ["emma", "nothing", "dracula"], "count": 3}).json()
    assert answer["unknown"] == [1] and len(answer["items"]) == 3
    assert all(item["reason"]["because"] in ("emma", "dracula") for item in answer["items"])
    scores = [item["score"] for item in answer["items"]]
    assert scores == sorted(scores, reverse=True)


def test_search_and_import(client):
    found = client.post("/api/v1/search", json={"text": "frankenstien"}).json()
    assert found[0]["id"] == "frankenstein"
    brought = client.post("/api/v1/import", json={"text": "Emma\nDracula - 2/10\nzzzzz"}).json()
    assert brought == {
        "liked": ["emma"],
        "seen": ["dracula"],
        "dropped": [],
        "planned": 0,
        "unmatched": ["zzzzz"],
    }


@pytest.mark.parametrize(
    ("method", "path", "options", "status"),
    [
        ("POST", API, {"json": {"basket": "secret-word"}}, 422),
        ("POST", API, {"json": {"secret-word": 1}}, 422),
        (
            "POST",
            API,
            {"content": '{"basket": ["secret-word"', "headers": {"Content-Type": "application/json"}},
            422,
        ),
        ("POST", API, {"content": b"\xffsecret-word", "headers": {"Content-Type": "application/json"}}, 400),
        ("POST", "/api/v1/search", {"json": {"text": "secret-word" * 30}}, 422),
        ("POST", "/api/v1/import", {"json": {"text": "{secret-word"}}, 422),
        ("GET", "/secret-word", {}, 404),
        ("PUT", "/api/v1/secret-word", {}, 404),
        ("DELETE", "/?secret-word", {}, 405),
        ("POST", API, {"content": b"secret-word" * BODY}, 413),
    ],
)
def test_an_error_repeats_nothing(client, method, path, options, status):
    answer = client.request(method, path, **options)
    assert answer.status_code == status
    assert b"secret" not in answer.content and "secret" not in str(answer.headers)


def test_a_fault_in_the_application_tells_nobody_what_was_asked(folder, caplog, monkeypatch):
    from lineshaft.recommend.site import api

    def fail(*args):
        raise ValueError("secret-word")

    monkeypatch.setattr(api, "recommend", fail)
    quiet = TestClient(application(Shelf(lambda: folder), Counters(), rate=0))
    answer = quiet.post(API, json={"basket": ["emma"]})
    assert answer.status_code == 500 and "secret" not in answer.text
    assert "ValueError at test_site_api.py" in caplog.text and "secret" not in caplog.text


@pytest.mark.parametrize(
    "path", ["/", "/how-it-works", "/nothing", "/api/v1/about", "/static/site.css", "/metrics"]
)
def test_every_answer_has_the_headers_and_no_cookie(client, path):
    answer = client.get(path)
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert "set-cookie" not in answer.headers and "server" not in answer.headers
    assert ("no-store" in answer.headers["cache-control"]) == (not path.startswith("/static"))


def test_pages_name_no_other_host(client):
    for path in ("/", "/how-it-works", "/static/site.css", "/static/site.js"):
        text = client.get(path).text.replace("http://www.w3.org", "")
        assert "http://" not in text and "https://" not in text and "//cdn" not in text


def test_floods_are_slowed_and_others_are_not(folder):
    now = 1000.0
    rates = Rates(rate=2.0, burst=4.0)
    assert [rates.allow("a", now) for _ in range(6)] == [True] * 4 + [False] * 2
    assert rates.allow("b", now) and rates.allow("a", now + 0.6)
    rates.allow("c", now + 100)
    assert list(rates.clients) == ["c"], "an address is forgotten when it has been quiet"
    limited = TestClient(application(Shelf(lambda: folder), Counters(), rate=0.001))
    statuses = [limited.get("/api/v1/about").status_code for _ in range(70)]
    assert statuses.count(429) == 10 and limited.get("/health").status_code == 200


def test_metrics_count_without_addresses(folder):
    counted = TestClient(application(Shelf(lambda: folder), Counters(2), rate=0))
    counted.get("/secret-word")
    counted.get("/")
    text = counted.get("/metrics").text
    assert 'path="other",status="4xx"} 1' in text and 'path="/",status="2xx"} 1' in text
    assert "secret" not in text and "lineshaft_workers 2" in text


def test_the_owner_blocks_titles_everywhere(folder, tmp_path):
    names = tmp_path / "block.txt"
    names.write_text("Pride and Prejudice\ndracula  # by id\n\n")
    shelf = Shelf(lambda: folder, names)
    blocked = TestClient(application(shelf, Counters(), rate=0))
    found = blocked.post("/api/v1/search", json={"text": "pride and prejudice"}).json()
    assert "pride-and-prejudice" not in {title["id"] for title in found}
    items = blocked.post(API, json={"basket": ["emma"], "count": 100}).json()["items"]
    assert items and not {"pride-and-prejudice", "dracula"} & {item["id"] for item in items}
    names.write_text("no such title")
    assert not shelf.reload() and len(shelf.blocked) == 2, "a bad list changes nothing"
