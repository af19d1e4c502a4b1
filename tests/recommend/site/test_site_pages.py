"""The form without JavaScript: a whole visit by POST alone, and what hostile texts and uploads come to."""

import tempfile

import numpy as np
import pytest
from selectolax.lexbor import LexborHTMLParser
from starlette.testclient import TestClient

from lineshaft.recommend.catalogue.catalogue import Catalogue, Edges
from lineshaft.recommend.evaluate.folds import binary
from lineshaft.recommend.models.ease import Ease
from lineshaft.recommend.site.app import application
from lineshaft.recommend.site.artefact import Extras, build
from lineshaft.recommend.site.counters import Counters
from lineshaft.recommend.site.shelf import Shelf


def state(html: str, form: str = "visit") -> dict[str, list[str]]:
    """What a browser would send of a form."""
    found: dict[str, list[str]] = {}
    for node in LexborHTMLParser(html).css(f"form#{form} input"):
        attributes = node.attributes
        if attributes.get("type") in ("checkbox",) and "checked" not in attributes:
            continue
        if attributes.get("name") and attributes.get("type") != "file":
            found.setdefault(attributes["name"], []).append(attributes.get("value") or "")
    return found


def shown(html: str) -> list[str]:
    return [node.text(strip=True) for node in LexborHTMLParser(html).css(".card h3")]


def test_a_visit_by_posts_alone(client):
    page = client.get("/").text
    assert "Liked by many" in page and len(shown(page)) == 10
    page = client.post("/", data={**state(page), "q": "treasure iland", "do": "find"}).text
    assert 'value="add:treasure-island"' in page
    page = client.post("/", data={**state(page), "do": "add:treasure-island"}).text
    assert state(page)["basket"] == ["treasure-island"] and state(page)["q"] == [""]
    assert "Treasure Island is in your list." in page
    first = shown(page)
    page = client.post("/", data={**state(page), "do": "seen:moby-dick"}).text
    assert "Moby-Dick" not in shown(page) and state(page)["seen"] == ["moby-dick"]
    page = client.post("/", data={**state(page), "do": "more"}).text
    assert len(shown(page)) == 20 and set(first) - {"Moby-Dick"} <= set(shown(page))
    page = client.post("/", data={**state(page), "only": ["sea"], "do": "show"}).text
    assert state(page)["only"] == ["sea"] and 0 < len(shown(page)) < 20
    page = client.post("/import", data={**state(page, "import"), "list": "Emma\nNo such thing"}).text
    assert "1 of your titles was found, 1 was not" in page and "No such thing" in page
    assert state(page)["basket"] == ["treasure-island", "emma"]
    page = client.post("/", data={**state(page), "do": "clear"}).text
    assert "basket" not in state(page) and "seen" not in state(page)


@pytest.mark.parametrize(
    "fields",
    [
        {
            "basket": ["<script>", "emma", "emma"],
            "count": "1e9",
            "popularity": "x",
            "members": "-5",
            "do": "add:nix",
        },
        {"do": "explode"},
        {"do": "add:"},
        {"q": "\x00'\"<b>"},
        {"count": "999999999999999999999999999999"},
    ],
)
def test_fields_without_sense_count_as_not_given(client, fields):
    answer = client.post("/", data=fields)
    assert answer.status_code == 200 and "<script>" not in answer.text and "<b>" not in answer.text


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"--x\r\nbroken", b"a=" + b"b" * 100_000])
@pytest.mark.parametrize(
    "kind", ["multipart/form-data; boundary=x", "multipart/form-data", "text/plain", "a"]
)
def test_a_body_that_is_no_form_gets_a_page(client, content, kind):
    for path in ("/", "/find", "/import"):
        assert client.post(path, content=content, headers={"Content-Type": kind}).status_code == 200


def test_an_uploaded_list_never_touches_the_disk(client, monkeypatch):
    """The form parser's default writes uploads of a megabyte and more to a temporary file."""

    def refuse(*args, **kwargs):
        raise AssertionError("a temporary file was opened")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    big = b"Emma\n" + b"\n" * 3_000_000
    answer = client.post("/import", files={"file": ("list.txt", big)})
    assert answer.status_code == 200 and state(answer.text)["basket"] == ["emma"]


def test_texts_of_users_are_escaped_in_every_place(tmp_path):
    bad = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
    rng = np.random.default_rng(0)
    users, items = np.nonzero(rng.random((60, 8)) < 0.5)
    catalogue = Catalogue(
        [f"{n}\"'><i>" for n in range(8)],
        [f"{bad} {n}" for n in range(8)],
        [bad] * 8,
        [(bad, "drama")] * 8,
        edges=Edges(np.array([0, 1]), np.array([2, 3]), np.ones(2, np.float32), [bad, bad]),
    )
    scorer = Ease(lam=10).fit(binary(users, items, (60, 8)), catalogue, seed=0, threads=1)
    folder = build(tmp_path / "artefact", scorer, Extras(bad, bad, bad, by=[bad] * 8))
    hostile = TestClient(application(Shelf(lambda: folder), Counters(), rate=0))
    pages = [hostile.get("/"), hostile.get("/how-it-works"), hostile.post("/find", data={"q": "script"})]
    pages.append(hostile.post("/", data={"basket": catalogue.ids[:2], "q": bad, "only": bad}))
    pages.append(hostile.post("/import", data={"list": bad, "basket": catalogue.ids[:1]}))
    for page in pages:
        assert page.status_code == 200
        assert "<script>alert" not in page.text and "<img" not in page.text and "<i>" not in page.text
    assert "alert(1)" in pages[3].text
