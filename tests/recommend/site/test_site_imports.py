"""Lists that guests bring, right, odd and hostile."""

import gzip
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineshaft.recommend.site.imports import entries, matched
from lineshaft.recommend.site.lists import MOST_BYTES, Entry, Refused, lines

MAL = """<?xml version="1.0" encoding="UTF-8" ?>
<myanimelist><myinfo><user_name>guest</user_name></myinfo>
<anime><series_animedb_id>1</series_animedb_id><series_title><![CDATA[One & Two]]></series_title>
<my_score>8</my_score><my_status>Completed</my_status></anime>
<anime><series_title>Salt & Sand</series_title><my_score>3</my_score><my_status>Completed</my_status></anime>
<anime><series_title>Third</series_title><my_score>0</my_score><my_status>Plan to Watch</my_status></anime>
<anime><series_title>Fourth</series_title><my_score>9</my_score><my_status>Dropped</my_status></anime>
</myanimelist>"""
ANILIST = {
    "data": {
        "MediaListCollection": {
            "lists": [
                {
                    "name": "Completed",
                    "entries": [
                        {
                            "status": "COMPLETED",
                            "score": 80,
                            "media": {"idMal": 1, "title": {"romaji": "Ichi"}},
                        },
                        {
                            "status": "PLANNING",
                            "score": 0,
                            "media": {"title": {"english": None, "native": "二"}},
                        },
                        {"status": "DROPPED", "media": {"title": {"romaji": "San", "english": "Three"}}},
                    ],
                }
            ]
        }
    }
}
LAUGHS = '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><myanimelist>&b;</myanimelist>'
OUTSIDE = (
    '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><anime><series_title>&x;</series_title></anime>'
)


def kinds(raw: bytes):
    return [(entry.title, entry.kind) for entry in entries(raw)]


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzipped"])
def test_a_myanimelist_export_with_bare_ampersands(pack):
    assert kinds(pack(MAL.encode())) == [
        ("One & Two", "liked"),
        ("Salt & Sand", "seen"),
        ("Third", "planned"),
        ("Fourth", "dropped"),
    ]
    assert entries(MAL.encode())[0].ids == ("1",)


def test_anilist_json_wherever_the_lists_stand():
    found = entries(json.dumps(ANILIST).encode())
    assert [(e.title, e.kind) for e in found] == [("Ichi", "liked"), ("二", "planned"), ("Three", "dropped")]
    assert found[0].ids == ("1",) and found[2].others == ("San",)
    assert kinds(b'["Emma", "Dracula"]') == [("Emma", "liked"), ("Dracula", "liked")]


@pytest.mark.parametrize(
    ("line", "title", "score"),
    [
        ("Emma", "Emma", 0),
        ("  - Emma ", "Emma", 0),
        ("12. Emma - 9/10", "Emma", 0.9),
        ("Emma (3/10)", "Emma", 0.3),
        ("* Emma – 4", "Emma", 0.4),
        ("Catch 22", "Catch 22", 0),
        ("1984", "1984", 0),
        ("Emma: 2", "Emma: 2", 0),
    ],
)
def test_pasted_lines(line, title, score):
    (entry,) = lines(line)
    assert (entry.title, entry.score) == (title, pytest.approx(score))


def test_ids_come_before_titles_and_what_is_unknown_is_given_back(artefact):
    row, index = artefact.scorer.catalogue.row, artefact.index
    found = matched(entries(b"Emma\ndracula\nEmma\nDracla\nNo such title here"), row, index)
    assert found.rows["liked"] == [row["emma"], row["dracula"]]
    assert found.unmatched == ["No such title here"]


def test_ids_are_believed_where_titles_agree_and_never_those_of_another_catalogue(artefact):
    index, emma = artefact.index, artefact.scorer.catalogue.row["emma"]
    both = [Entry("Emma", ("7",)), Entry("Its name in another language", ("8",))]
    found = matched(both, {"7": emma, "8": 3}, index)
    assert found.rows["liked"] == [emma, 3] and not found.unmatched
    other = matched(both, {"7": emma + 1, "8": 3}, index)
    assert other.rows["liked"] == [emma] and other.unmatched == ["Its name in another language"]
    planned = matched(entries(MAL.encode()), {"1": 7}, index)
    assert planned.planned == 1 and planned.unmatched == ["One & Two", "Salt & Sand", "Fourth"]


@pytest.mark.parametrize(
    "raw",
    [
        LAUGHS.encode(),
        OUTSIDE.encode(),
        b"<anime><series_title>x</anime>",
        b"{broken",
        b'{"a":' * 100_000,
        b"\x1f\x8bnot gzip",
        gzip.compress(b"\0" * (MOST_BYTES + 10)),
        b"x\n" * 10_001,
        b"<" + b"a" * 100,
    ],
    ids=["laughs", "xxe", "xml", "json", "deep", "gzip", "bomb", "many", "tag"],
)
def test_hostile_lists_are_refused_without_a_word_of_theirs(raw):
    with pytest.raises(Refused) as refused:
        entries(raw)
    assert "passwd" not in str(refused.value) and "broken" not in str(refused.value)


@given(st.one_of(st.binary(max_size=400), st.text(max_size=300).map(str.encode)))
def test_whatever_is_brought_is_read_or_refused(raw):
    for data in (raw, gzip.compress(raw), b"<" + raw, b"{" + raw, b'[{"title":' + raw):
        try:
            entries(data)
        except Refused:
            pass


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda c: (
            st.lists(c)
            | st.dictionaries(st.sampled_from(["media", "title", "score", "idMal", "status", "x"]), c)
        ),
        max_leaves=12,
    )
)
def test_whatever_json_is_brought_is_read(document):
    for entry in entries(json.dumps([document]).encode()):
        assert entry.kind in ("liked", "seen", "dropped", "planned")


SIMKL = {
    "anime": [
        {"status": "completed", "user_rating": 9, "show": {"title": "Ichi", "ids": {"simkl": 5, "mal": "1"}}},
        {"status": "plantowatch", "show": {"title": "Ni"}},
        {"status": "notinteresting", "show": {"title": "San"}},
    ],
    "movies": [{"status": "completed", "user_rating": None, "movie": {"title": "Shi"}}],
}
OF_MAL = {
    "data": [
        {"node": {"id": 1, "title": "Ichi"}, "list_status": {"status": "completed", "score": 8}},
        {"node": {"id": 2, "title": "Ni"}, "list_status": {"status": "plan_to_watch", "score": 0}},
        {"node": {"id": 3, "title": "San"}, "list_status": {"status": "dropped", "score": 2}},
    ]
}
GOODREADS = """Book Id,Title,Author,My Rating,Exclusive Shelf
11,"Emma (Penguin Classics)",Jane Austen,5,read
12,"Dracula, or the Undead",Bram Stoker,2,read
13,Kim,Rudyard Kipling,0,to-read
14,Ulysses,James Joyce,0,read
"""


@pytest.mark.parametrize("document", [SIMKL, OF_MAL], ids=["simkl", "mal"])
def test_json_of_other_sites(document):
    found = entries(json.dumps(document).encode())
    assert [(e.title, e.kind) for e in found[:3]] == [
        ("Ichi", "liked"),
        ("Ni", "planned"),
        ("San", "dropped"),
    ]
    assert found[0].ids == ("1",)


@pytest.mark.parametrize("mark", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_table_as_goodreads_writes_it(artefact, mark):
    raw = GOODREADS.encode(mark)
    assert kinds(raw) == [
        ("Emma (Penguin Classics)", "liked"),
        ("Dracula, or the Undead", "seen"),
        ("Kim", "planned"),
        ("Ulysses", "liked"),
    ]
    found = matched(entries(raw), artefact.scorer.catalogue.row, artefact.index)
    assert found.rows["liked"] == [artefact.scorer.catalogue.row[name] for name in ("emma", "ulysses")]


@pytest.mark.parametrize(
    ("best", "score", "kind"), [(100, 60, "liked"), (10, 4, "seen"), (5, 4, "liked"), (3, 1, "seen")]
)
def test_scores_are_shares_of_the_best_that_the_list_gives(best, score, kind):
    media = [{"score": n, "media": {"title": {"romaji": f"t{n}"}}} for n in (best, best, best, best, score)]
    assert entries(json.dumps(media).encode())[-1].kind == kind


@pytest.mark.parametrize("raw", [b"PK\x03\x04" + b"a" * 50, b"\x89PNG\r\n\x1a\n\0\0\0", b"Emma\0Dracula"])
def test_what_is_no_text_is_refused_with_the_way_out(raw):
    with pytest.raises(Refused, match=r"unpack it first|bring titles"):
        entries(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"<a>" + b"<![CDATA[" * 800_000,
        b"<" + b"&" * 7_000_000,
        b" " * 7_900_000 + b"<a>",
        b"a" + b" " * 7_900_000 + b"b",
        b"- " * 3_900_000,
        b"<a " + b"a='' " * 900_000 + b"/>",
        b"<a>" * 1_000_000,
        b"[" + b"{}," * 2_000_000 + b"{}]",
        b"[" + b'{"media":' * 200_000,
        b"title,score\n" + b'"' * 7_000_000,
        b"title,score\n" + b'""' * 3_000_000,
        b"9" * 7_900_000,
        b"{" + b'"a":1' * 1_000_000,
    ],
    ids=[
        "cdata",
        "ampersands",
        "blank",
        "gap",
        "bullets",
        "attributes",
        "deep",
        "empty",
        "media",
        "quote",
        "quotes",
        "digits",
        "colons",
    ],
)
def test_no_list_takes_long_to_be_refused_or_read(raw):
    """A pattern that looks at a text again and again would hold a worker for hours."""
    began = time.process_time()
    try:
        entries(raw[:MOST_BYTES])
    except Refused:
        pass
    assert time.process_time() - began < 6
