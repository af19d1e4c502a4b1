"""Own tables: what is read, what is dropped and counted, and what is refused in one line."""

from pathlib import Path

import numpy as np
import polars
import pytest

from lineshaft.engine import Options, RequestError
from lineshaft.engine.run.execute import execute
from lineshaft.engine.spec.grid import grid
from lineshaft.recommend.catalogue.source import Own
from lineshaft.recommend.catalogue.tables import Tables, read
from lineshaft.recommend.experiments.train import FILE, Config
from lineshaft.recommend.models.model import load

LIKES = "user,item,value\nAnn,Äpfel und Birnen,5\nAnn,b,4\nBob,b,1\nBob,c 1,0\nBob,b,3\n,b,4\n"
ITEMS = 'item,title,text,tags\nb,Bees,"they, hum",insects|small\nc 1,,,\nd,Dogs,,\nd,Cats,,\n'
EDGES = "source,target,weight,text\nb,d,2,see also\nb,d,1,again\nb,b,1,\nb,nobody,1,\nd,b,0,\n"


def tables(
    folder: Path, likes: str = LIKES, items: str | None = ITEMS, edges: str | None = EDGES, **kw
) -> Tables:
    paths = []
    for name, text in (("likes.csv", likes), ("items.csv", items), ("edges.csv", edges)):
        if text is not None:
            (folder / name).write_text(text, encoding="utf-8")
        paths.append(None if text is None else folder / name)
    return read(*paths, kw.get("like"))


def test_ids_are_any_text_and_everything_dropped_is_counted(tmp_path: Path) -> None:
    made = tables(tmp_path)
    assert made.catalogue.ids == ["b", "c 1", "d", "Äpfel und Birnen"] and made.users == ["Ann", "Bob"]
    assert made.likes.toarray().tolist() == [[1, 0, 0, 1], [1, 0, 0, 0]]
    assert made.catalogue.titles == ["Bees", "", "Dogs", ""] and made.catalogue.tags[0] == (
        "insects",
        "small",
    )
    edges = made.catalogue.edges
    assert (edges.source.tolist(), edges.target.tolist(), edges.weight.tolist()) == ([0], [2], [3])
    assert edges.texts == ["see also\nagain"]
    assert made.counted == {
        "interactions read": 6,
        "interactions without user or item, dropped": 1,
        "interactions with a value at 0 or below, dropped": 1,
        "interactions named twice, merged": 1,
        "items without an id, dropped": 0,
        "items named twice, the first kept": 1,
        "liked items without a row in the table of items": 1,
        "edges with an end outside the catalogue, dropped": 1,
        "edges from an item to itself, dropped": 1,
        "edges with a weight of 0 or below, dropped": 1,
        "edges named twice, merged": 1,
        "users": 2,
        "users of a single item": 1,
        "items": 4,
        "items nobody likes": 2,
        "items without title or text": 2,
        "likes": 3,
        "edges": 1,
    }


def test_a_threshold_decides_what_is_liked(tmp_path: Path) -> None:
    made = tables(tmp_path, like=4)
    assert made.users == ["Ann"] and made.counted["interactions with a value below 4, dropped"] == 3


def test_interactions_alone_are_enough(tmp_path: Path) -> None:
    made = tables(tmp_path, "user,item\n1,2\n1,3\n", None, None)
    assert made.catalogue.ids == ["2", "3"] and not len(made.catalogue.edges)
    assert not made.catalogue.has_text.any()


def test_the_first_of_several_times_counts(tmp_path: Path) -> None:
    made = tables(tmp_path, "user,item,time\nu,a,2021-03-01\nu,b,2020-01-01\nu,a,2019-01-01\n", None, None)
    row = {made.catalogue.ids[i]: made.times[0, i] for i in range(2)}
    assert row["a"] < row["b"]


def test_times_are_ordered_as_numbers_or_dates_and_a_missing_one_comes_first(tmp_path: Path) -> None:
    def order(*times: str) -> list[int]:
        rows = "".join(f"u,{name},{time}\n" for name, time in zip("abc", times))
        made = tables(tmp_path, "user,item,time\n" + rows, None, None)
        assert made.counted["interactions without a time, taken as the earliest"] == times.count("")
        place = dict(zip(made.catalogue.ids, made.times.toarray()[0]))
        return np.argsort([place[name] for name in "abc"]).tolist()

    assert order("100", "20", "9") == [2, 1, 0], "100 is later than 20, whatever their texts say"
    assert order("2021-01-01T10:00", "", "2020-12-31") == [1, 2, 0]
    with pytest.raises(RequestError, match=r"time '01/02/2020' in data row 2: times are numbers .* or dates"):
        order("2020-01-01", "01/02/2020", "5")


@pytest.mark.parametrize("separator", [";", "|", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_csv_may_be_written_as_spreadsheets_do(
    separator: str, encoding: str, end: str, tmp_path: Path
) -> None:
    (tmp_path / "likes.csv").write_bytes(
        end.join(["user;item", "ü;7", "ü;8"]).replace(";", separator).encode(encoding)
    )
    made = read(tmp_path / "likes.csv", None, None, None)
    assert made.users == ["ü"] and made.catalogue.ids == ["7", "8"]


def test_a_quoted_text_may_hold_the_separator_and_new_lines(tmp_path: Path) -> None:
    items = 'item;title;text\r\n1;"One; or ""1""";"first line\r\nsecond line"\r\n'
    made = tables(tmp_path, "user,item\na,1\n", items, None)
    assert made.catalogue.titles == ['One; or "1"'] and "second" in made.catalogue.texts[0]


def test_ids_keep_their_zeros_and_lose_what_only_the_storage_added(tmp_path: Path) -> None:
    assert tables(tmp_path, "user,item\n01,0012\n1,1e5\n", None, None).catalogue.ids == ["0012", "1e5"]
    stored = polars.DataFrame({"user": [1.0, 2.0, None], "item": ["a", "b", "c"], "value": [0.5, 2.0, 1.0]})
    stored.write_parquet(tmp_path / "likes.parquet")
    made = read(tmp_path / "likes.parquet", None, None, 1)
    assert made.users == ["2"] and made.counted["interactions without user or item, dropped"] == 1


def test_tables_that_do_not_meet_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"none of its items is liked: it has '1', .*likes\.csv '1\.0'"):
        tables(tmp_path, "user,item\na,1.0\n", "item,title\n1,One\n", None)
    with pytest.raises(
        RequestError, match=r"no edge has both its ends .* links 'A' and 'B', an item there is 'a'"
    ):
        tables(tmp_path, "user,item\nu,a\nu,b\n", None, "source,target\nA,B\n")


@pytest.mark.parametrize("ending", ["parquet", "tsv", "csv.gz"])
def test_other_formats_hold_the_same(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"likes.{ending}"
    table = polars.DataFrame({"user": [7, 7], "item": [1, 2], "value": [5, 0]})
    if ending == "parquet":
        table.write_parquet(path)
    elif ending == "tsv":
        table.write_csv(path, separator="\t")
    else:
        import gzip

        path.write_bytes(gzip.compress(table.write_csv().encode()))
    assert read(path, None, None, None).catalogue.ids == ["1"]


def test_a_byte_order_mark_and_capital_names_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "likes.csv"
    path.write_bytes(b"\xef\xbb\xbfUser, Item \nu,a\n")
    assert read(path, None, None, None).catalogue.ids == ["a"]


@pytest.mark.parametrize(
    ("likes", "message"),
    [
        (
            "person,item\n1,2\n",
            r"likes\.csv: no column user; it has person, item: the first line must name user, item",
        ),
        ("user,item\n", r"likes\.csv: only a header, no row"),
        ("", r"likes\.csv: no column user, item; it has none"),
        (
            "user,item,value\n1,2,good\n",
            r"likes\.csv: value 'good' in data row 1 is not a number \(1 such rows\)",
        ),
        ("user,item,value\n1,2,0\n1,3,-2\n", r"likes\.csv: no interaction is left of 2 rows$"),
        ("user,item,value\n1,2,nan\n", r"value 'nan' in data row 1 is not a number"),
        (
            "user,item\n1,2,3\n",
            r"likes\.csv: cannot be read as a table: a row has more fields than the first",
        ),
    ],
)
def test_wrong_interactions_are_refused(likes: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=message):
        tables(tmp_path, likes, None, None)


def test_a_threshold_without_values_and_one_that_leaves_nothing_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"data\.like=4 needs a column value; it has user, item"):
        tables(tmp_path, "user,item\n1,2\n", None, None, like=4)
    with pytest.raises(
        RequestError, match=r"no interaction is left of 1 rows with a value of 9 or more; take a lower"
    ):
        tables(tmp_path, "user,item,value\n1,2,5\n", None, None, like=9)


def test_wrong_items_and_edges_are_named_by_their_file(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"items\.csv: no column item; it has id, title"):
        tables(tmp_path, items="id,title\n1,One\n")
    with pytest.raises(RequestError, match=r"edges\.csv: no column target; it has source, to"):
        tables(tmp_path, edges="source,to\n1,2\n")
    with pytest.raises(RequestError, match=r"edges\.csv: only a header"):
        tables(tmp_path, edges="source,target\n")


def test_text_that_is_not_utf8_is_named_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "likes.csv"
    path.write_bytes("user,item\nu,é\n".encode("latin1"))
    with pytest.raises(RequestError, match=r"likes\.csv: not UTF-8 at byte 12 .* iconv"):
        read(path, None, None, None)


def test_a_missing_file_and_one_that_is_no_table_are_named(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"nowhere\.csv: there is no such file"):
        read(tmp_path / "nowhere.csv", None, None, None)
    (tmp_path / "likes.parquet").write_text("user,item\n1,2\n")
    with pytest.raises(RequestError, match=r"likes\.parquet: cannot be read as a table"):
        read(tmp_path / "likes.parquet", None, None, None)


def own(folder: Path) -> Own:
    rng = np.random.default_rng(0)
    rows = [f"u{u},i{i},5" for u in range(60) for i in rng.choice(40, 8, replace=False)]
    (folder / "likes.csv").write_text("user,item,value\n" + "\n".join(rows) + "\n")
    (folder / "items.csv").write_text("item,title\n" + "".join(f"i{i},Number {i}\n" for i in range(42)))
    return Own(interactions=str(folder / "likes.csv"), items=str(folder / "items.csv"))


def test_training_on_own_tables_leaves_a_model_and_the_counts(tmp_path: Path) -> None:
    folder, state = execute("recommend.train", Config(data=own(tmp_path)), tmp_path / "runs", Options())
    assert state == "done", folder.error()
    scorer = load(folder.dir / FILE)
    assert len(scorer.recommend(["i3"], k=5).items) == 5 and scorer.catalogue.title(7) == "Number 7"
    assert '"items nobody likes": 2' in (folder.dir / "counts.json").read_text()
    assert folder.result()["items"] == 42 and folder.result()["users"] == 60


def test_the_file_of_own_tables_names_no_user(tmp_path: Path) -> None:
    folder, _ = execute("recommend.train", Config(data=own(tmp_path)), tmp_path / "runs", Options())
    held = (folder.dir / FILE).read_bytes()
    assert b"Number 7" in held and not any(f"u{u}".encode() + b"\0" in held for u in range(60))


def test_own_tables_without_a_file_say_which_word_is_missing(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"data\.interactions"):
        execute("recommend.train", Config(data=Own()), tmp_path / "runs", Options())


@pytest.mark.parametrize("model", ["blend", "ease"])
def test_users_of_two_items_each_are_enough_to_train_on(model: str, tmp_path: Path) -> None:
    """Nobody can be judged, and the run says so: no val, no guests; the file is there."""
    pairs = "".join(f"u{user},i{(user * 7 + n) % 11}\n" for user in range(40) for n in range(2))
    (tmp_path / "likes.csv").write_text("user,item\n" + pairs)
    config = grid(Config, ["data=own", f"data.interactions={tmp_path / 'likes.csv'}", f"model={model}"])
    folder, state = execute("recommend.train", next(iter(config)), tmp_path / "runs", Options())
    assert state == "done", folder.error()
    result = folder.result()
    assert result["guests"] == 0 and "val/recall@100" not in result
    assert load(folder.dir / FILE).recommend(["i0"], k=3).items
