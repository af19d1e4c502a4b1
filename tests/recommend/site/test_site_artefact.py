"""What is served: whole, unchanged, and nothing of those who were learnt from."""

import json
import shutil

import numpy as np
import pytest

from lineshaft.engine import RequestError
from lineshaft.recommend import arrays as files
from lineshaft.recommend import books
from lineshaft.recommend.site.artefact import ABOUT, MODEL, TITLES, open_artefact
from lineshaft.recommend.site.families import families, stem
from lineshaft.recommend.site.samples import Books


def test_it_holds_no_training_row_and_no_factor_of_a_user(folder):
    """No array has the users' number of rows, and no user's basket stands anywhere in the files."""
    likes = Books().open().likes
    for name in (MODEL, "site.safetensors"):
        arrays, _ = files.read(folder / name)
        for key, array in arrays.items():
            assert books.READERS not in array.shape, key
    data = b"".join(path.read_bytes() for path in sorted(folder.iterdir()))
    for user in range(0, books.READERS, 50):
        row = likes.indices[likes.indptr[user] : likes.indptr[user + 1]]
        for kind in (np.int32, np.int64):
            assert row.astype(kind).tobytes() not in data


def test_a_planted_training_row_would_be_found(folder, tmp_path):
    """The test above can fail."""
    likes = Books().open().likes
    row = likes.indices[: likes.indptr[1]]
    files.write(tmp_path / "planted", {"row": row.astype(np.int32)}, {})
    assert row.astype(np.int32).tobytes() in (tmp_path / "planted").read_bytes()


@pytest.mark.parametrize("damage", [MODEL, TITLES, ABOUT])
def test_a_file_that_is_missing_or_changed_is_refused_by_name(folder, tmp_path, damage):
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    content = bytearray((copy / damage).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / damage).write_bytes(bytes(content) if damage != ABOUT else b"{")
    with pytest.raises(RequestError, match="artefact" if damage == ABOUT else damage):
        open_artefact(copy)
    (copy / damage).unlink()
    with pytest.raises(RequestError):
        open_artefact(copy)


def test_what_is_shown_is_what_was_built(artefact):
    row = artefact.scorer.catalogue.row["therese-raquin"]
    (item,) = artefact.items([row])
    assert (item.title, item.by, item.year) == ("Thérèse Raquin", "Émile Zola", 1867)
    assert json.loads((artefact.folder / ABOUT).read_text())["items"] == len(artefact) == 275


def test_families_join_sequels_and_else_titles():
    given = families(5, [(0, 1), (1, 2)])
    assert given[0] == given[1] == given[2] != given[3] != given[4]
    titles = ["Kino", "Kino 2nd Season", "Kino: The Long Road", "Kino no Tabi", "Sora (TV)", "Sora II", "X"]
    found = families(len(titles), [], titles)
    assert found[0] == found[1] == found[2] and found[4] == found[5]
    assert len({found[0], found[3], found[4], found[6]}) == 4


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Mushi: Season 2", "mushi"),
        ("Mushi 3", "mushi"),
        ("Mushi (2012)", "mushi"),
        ("1984", "1984"),
        ("", ""),
    ],
)
def test_stems(title, expected):
    assert stem(title) == expected


def test_numbers_of_a_catalogue_are_no_series():
    """A catalogue of "Item 1" to "Item 20" would have nothing left to recommend."""
    alone = families(20, (), [f"Item {n}" for n in range(20)])
    assert len(set(alone)) == 20
    mixed = families(
        23, (), [*(f"Title of {chr(97 + n) * 5}" for n in range(20)), "Saga", "Saga 2", "Saga 3"]
    )
    assert len(set(mixed)) == 21
