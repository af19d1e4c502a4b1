"""Pages to rows: what is read, what is dropped, and texts in every encoding."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineshaft.recommend.pipeline.decode import decode
from lineshaft.recommend.pipeline.parse import Selectors, number

ITEM = """<h1> A <b>title</b></h1><div class=text>What it is.</div>
<p class=tags><a>Drama</a><a>drama</a><a>Sea | land</a></p><i class=year>in 1999</i>
<i class=members>1,234,567 people</i>
<ul class=relations><li data-kind=Sequel><a href=/item/2>x</a><li data-kind=prequel>nothing</ul>
<div class=recommendation data-count=7><a href=/item/3>y</a>
<p class=words>Both &lt;b&gt; are  sad.</p></div>"""
LIST = """<li class=entry><a href=/item/1>a</a><b class=rating>8.5</b><i class=status>Completed</i>
<li class=entry><a href=/item/2>b</a><b class=rating>-</b><li class=entry>no link"""


def records(body: str, url: str = "http://s/item/1", kind: str = "text/html; charset=utf-8"):
    return Selectors().records(url, body.encode(), kind)


def test_an_item_page_is_read_whole():
    found = records(ITEM)
    (item,) = found.items
    assert item["item"] == "1" and item["title"] == "A title" and item["text"] == "What it is."
    assert item["tags"] == "drama|sea / land" and item["year"] == 1999 and item["members"] == 1234567
    kinds = [(e["target"], e["kind"], e["weight"], e["text"]) for e in found.edges]
    assert kinds == [("2", "sequel", None, ""), ("3", "recommendation", 7.0, "Both <b> are sad.")]
    assert [row["reason"] for row in found.dropped] == ["no link to an item"]


def test_a_list_gives_ratings_and_statuses():
    found = records(LIST, "http://s/user/ann")
    assert [(r["user"], r["item"], r["rating"], r["status"]) for r in found.interactions] == [
        ("ann", "1", 8.5, "completed"),
        ("ann", "2", None, None),
    ]
    assert [row["table"] for row in found.dropped] == ["interactions"]


def test_moved_markup_is_dropped_with_the_selector_that_failed():
    found = records("<h2>A title</h2>")
    assert not found.items and "h1" in found.dropped[0]["reason"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,234", 1234),
        ("1 234", 1234),
        ("8.5", 8.5),
        ("8,5", 8.5),
        ("-1", -1),
        ("none", None),
        (None, None),
        ("1,2,3", None),
    ],
)
def test_numbers_as_pages_write_them(text, value):
    assert number(text) == value


@pytest.mark.parametrize(
    ("body", "header", "text", "guessed"),
    [
        ("Thérèse".encode(), "text/html; charset=utf-8", "Thérèse", False),
        ("Thérèse".encode("cp1252"), "text/html; charset=utf-8", "Thérèse", True),
        ("Thérèse".encode("cp1252"), "text/html; charset=iso-8859-1", "Thérèse", False),
        ("“Thérèse”".encode("cp1252"), "text/html; charset=latin1", "“Thérèse”", False),
        ("テスト".encode("shift_jis"), "text/html; charset=Shift_JIS", "テスト", False),
        (b"<meta charset=euc-jp>" + "テスト".encode("euc-jp"), "", "<meta charset=euc-jp>テスト", False),
        ("テスト".encode(), "text/html; charset=no-such-thing", "テスト", False),
        (b"\xff\xfe" + "é".encode("utf-16-le"), "text/html; charset=utf-8", "é", False),
        (b"abc\x81", "", "abc\ufffd", True),
        (b"abc", "text/html; charset=base64", "abc", False),
    ],
)
def test_encodings_right_and_wrong(body, header, text, guessed):
    assert decode(body, header) == (text, guessed)


@given(st.binary(max_size=300), st.text(max_size=40))
def test_no_bytes_break_the_parser(body, header):
    Selectors().records("http://s/item/1", body, header)
    list(Selectors().links("http://s/", body, header))
