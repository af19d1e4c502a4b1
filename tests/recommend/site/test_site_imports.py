"""Lists that guests bring, right, odd and hostile."""

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineshaft.recommend.site.imports import MOST_BYTES, Refused, entries, lines, matched

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
    by_number = matched(entries(MAL.encode()), {"1": 7}, index)
    assert by_number.rows == {"liked": [7], "seen": [], "dropped": []} and by_number.planned == 1
    assert by_number.unmatched == ["Salt & Sand", "Fourth"]


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
