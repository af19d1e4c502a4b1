"""The same expressions on DuckDB and on Spark give the same files to the byte, on 10,000 rows."""

import random
import shutil
from pathlib import Path

import polars as pl
import pytest

from lineshaft.engine.data.dataset import checksum
from lineshaft.engine.run.execute import execute
from lineshaft.recommend.experiments.pipeline import Config
from lineshaft.recommend.pipeline.backend import DuckDB, Spark
from lineshaft.recommend.pipeline.sources import Tables

pytestmark = pytest.mark.spark


@pytest.fixture
def source(tmp_path: Path) -> Tables:
    """10,000 interactions, 400 items and 3,000 edges with nulls, spaces, doubles, other scripts."""
    draw = random.Random(1)
    users = ["", "Ünal", " bob ", "Z", "a", "ё"]
    columns = {
        "user": [f"{draw.choice(users)}{draw.randrange(300)}" if n % 50 else None for n in range(10_000)],
        "item": [f"i{draw.randrange(390)}" for _ in range(10_000)],
        "rating": [draw.choice([None, 0.0, 7.0, 10.0, -1.0, 3.0]) for _ in range(10_000)],
        "status": [draw.choice([None, "completed", "Plan to Watch", "dropped"]) for _ in range(10_000)],
    }
    pl.DataFrame(columns).write_parquet(tmp_path / "pairs.parquet")
    items = {
        "item": [f"i{n}" if n % 40 else None for n in range(400)],
        "title": [f"Títle {n % 300} ß" if n % 33 else "" for n in range(400)],
        "text": [draw.choice(["short", "long " * 12 + str(n % 300), None]) for n in range(400)],
        "year": [draw.choice([None, 1999.0]) for _ in range(400)],
    }
    pl.DataFrame(items).write_parquet(tmp_path / "items.parquet")
    edges = {
        "source": [f"i{draw.randrange(400)}" for _ in range(3000)],
        "target": [f"i{draw.randrange(400)}" for _ in range(3000)],
        "kind": [draw.choice(["sequel", "prequel", "recommendation", None]) for _ in range(3000)],
        "weight": [draw.choice([None, 1.0, 4.0, 0.0]) for _ in range(3000)],
        "text": [draw.choice([None, "zä", "Zz", 'a, "b"', "ё"]) for _ in range(3000)],
    }
    pl.DataFrame(edges).write_parquet(tmp_path / "edges.parquet")
    places = {"interactions": "pairs", "items": "items", "edges": "edges"}
    return Tables(**{name: str(tmp_path / f"{file}.parquet") for name, file in places.items()})


def test_spark_and_duckdb_give_the_same_files(source, tmp_path):
    pytest.importorskip("pyspark", reason="pyspark is not installed: pip install 'lineshaft[spark]'")
    if shutil.which("java") is None:
        pytest.skip("no Java runtime")
    sums = {}
    for backend in (DuckDB(), Spark(partitions=2)):
        config = Config(source=source, stage="reduce", backend=backend, liked_from=4)
        folder, state = execute("recommend.pipeline", config, tmp_path / "runs")
        assert state == "done", folder.error()
        files = [
            *sorted(folder.dir.glob("tables/*.parquet")),
            folder.dir / "dropped.json",
            folder.dir / "result.json",
        ]
        sums[backend.name] = {path.name: checksum(path) for path in files}
        assert len(pl.read_parquet(folder.dir / "tables/interactions.parquet")) > 1000
    assert len(sums["duckdb"]) == 5 and sums["duckdb"] == sums["spark"]
