"""The experiment: the embedded crawl end to end, own tables, bad ones, a kill at every stage."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from lineshaft.engine import RequestError
from lineshaft.engine.run.execute import execute
from lineshaft.recommend.experiments.pipeline import Config
from lineshaft.recommend.pipeline.sources import RecordedBooks, Tables

NAME = "recommend.pipeline"


def done(config: Config, runs: Path):
    folder, state = execute(NAME, config, runs)
    assert state == "done", folder.error()
    return folder


def tables(folder: Path, rows: int = 200) -> Tables:
    folder.mkdir(exist_ok=True)
    pl.DataFrame(
        {"user": [f"Ann {n % 9}" for n in range(rows)], "item": [f"i{(n * 7) % 31}" for n in range(rows)]}
    ).write_csv(folder / "pairs.csv")
    pl.DataFrame(
        {"item": [f"i{n}" for n in range(31)], "title": [f"Títle {n}" for n in range(31)]}
    ).write_csv(folder / "items.csv")
    return Tables(interactions=str(folder / "pairs.csv"), items=str(folder / "items.csv"))


def test_the_embedded_site_is_crawled_merged_and_split(tmp_path):
    folder = done(Config(), tmp_path)
    result = folder.result()
    assert result["rows/items"] == 275 and result["users"] == 120
    assert result["pairs/test"] + result["pairs/val"] + result["pairs/train"] == result["rows/interactions"]
    reduced = next(tmp_path.glob(f"{NAME}/stage=reduce*"))
    why = {
        (row["table"], row["reason"]): row["rows"]
        for row in json.loads((reduced / "dropped.json").read_text())
    }
    assert why["items", "the same id again"] == 1
    assert why["addresses", "robots.txt forbids it"] == 1
    assert why["encodings", "guessed: the page or its server names another"] == 1
    items = pl.read_parquet(folder.dir / "tables/items.parquet")
    assert "Thérèse Raquin" in items["title"].to_list()
    names = {f"reader-{n}" for n in range(120)}
    assert not names & set(pl.read_parquet(folder.dir / "tables/interactions.parquet")["user"].to_list())


def test_the_split_of_the_same_rows_is_frozen(tmp_path):
    source = tables(tmp_path / "own")
    first, second = (done(Config(source=source), tmp_path / name) for name in ("one", "two"))
    read = [pl.read_parquet(f.dir / "tables/interactions.parquet") for f in (first, second)]
    folds = [frame.group_by("item", "fold").len().sort("item", "fold") for frame in read]
    assert folds[0].equals(folds[1])
    manifest = json.loads((first.dir / "manifest.json").read_text())
    assert set(manifest["sha256"]) == {"items.parquet", "edges.parquet", "interactions.parquet"}


@pytest.mark.parametrize("stage", ["parse", "reduce", "split"])
def test_a_stage_that_is_stopped_goes_on_and_gives_the_same(tmp_path, stage):
    """SIGKILL while the stage writes: the second start finds no half table and doubles no row."""
    source = tables(tmp_path / "own")
    whole = done(Config(source=source, stage=stage), tmp_path / "whole")
    code = f"""
import os, signal, sys
import lineshaft.recommend.pipeline.backend as backend, lineshaft.recommend.pipeline.records as records
for module, name in ((records.pq, 'write_table'), (backend.pq.ParquetWriter, 'write_table')):
    real, calls = getattr(module, name), []
    def die(*a, real=real, calls=calls, **k):
        real(*a, **k)
        calls.append(1)
        if len(calls) == 2 and os.environ.get('DIE'):
            os.kill(os.getpid(), signal.SIGKILL)
    setattr(module, name, die)
from lineshaft.engine.run.execute import execute
from lineshaft.recommend.experiments.pipeline import Config
from lineshaft.recommend.pipeline.sources import Tables
config = Config(source=Tables(interactions={source.interactions!r}, items={source.items!r}), stage={stage!r})
from pathlib import Path
print(execute({NAME!r}, config, Path(sys.argv[1]))[1])
"""
    command = [sys.executable, "-c", code, str(tmp_path / "killed")]
    killed = subprocess.run(command, env={**os.environ, "DIE": "1"}, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()[-500:]
    again = done(Config(source=source, stage=stage), tmp_path / "killed")
    assert again.dir.name == whole.dir.name and again.result() == whole.result()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"interactions": ""}, "source.interactions=FILE"),
        ({"interactions": "/no/such.csv"}, "no such file"),
        ({"items": "pairs.csv"}, "no column title"),
    ],
)
def test_bad_tables_are_refused_with_the_way_out(tmp_path, change, message):
    source = tables(tmp_path / "own")
    change = {k: str(tmp_path / "own" / v) if v == "pairs.csv" else v for k, v in change.items()}
    with pytest.raises(RequestError, match=message):
        execute(NAME, Config(source=source.model_copy(update=change)), tmp_path / "runs")


def test_a_site_whose_markup_has_moved_fails_instead_of_giving_half_a_table(tmp_path):
    moved = RecordedBooks().parser.model_copy(update={"title": "h7"})
    with pytest.raises(RequestError, match="h7"):
        execute(NAME, Config(source=RecordedBooks(parser=moved), stage="parse"), tmp_path)
