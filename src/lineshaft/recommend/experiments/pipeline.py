"""From crawled pages or tables to tables with frozen splits, in four stages, each a run of its own."""

import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from lineshaft import engine
from lineshaft.engine import Folder, RequestError, Run
from lineshaft.engine.data.dataset import checksum
from lineshaft.recommend.pipeline.backend import DuckDB, Spark
from lineshaft.recommend.pipeline.records import TABLES, write_part
from lineshaft.recommend.pipeline.sources import AnimeULike, Pages, RecordedBooks, Tables

Stage = Literal["crawl", "parse", "reduce", "split"]
BEFORE: dict[str, Stage] = {"parse": "crawl", "reduce": "parse", "split": "reduce"}


class Config(engine.Config):
    """Pages or tables in, tables with frozen splits out: crawl -> parse -> reduce -> split. A stage needs the
    one before it, which is computed first where it is missing; each goes on where it was stopped. The result
    counts what was dropped, and dropped.json says why."""

    version: ClassVar[int] = 1

    stage: Stage = Field("split", description="how far to go: crawl, parse, reduce (merge, drop), split")
    source: Annotated[RecordedBooks | Pages | Tables | AnimeULike, Field(discriminator="name")] = Field(
        RecordedBooks(),
        description="books: an embedded site, crawled on this machine; pages, tables: your own",
    )
    backend: Annotated[DuckDB | Spark, Field(discriminator="name")] = Field(
        DuckDB(), description="what computes map and reduce; both give the same files"
    )
    liked_from: float = Field(
        0.0, ge=0, description="lowest rating that is a like; unrated entries are likes"
    )
    unseen: float = Field(0.1, ge=0, lt=1, description="share of the items held out of training whole")


def run(config: Config, run: Run) -> dict[str, float]:
    """One stage; the stages before it are runs of their own."""
    stages: dict[str, Callable[[Config, Run], dict[str, float]]] = {
        "crawl": crawl,
        "parse": parse,
        "reduce": reduce,
        "split": split,
    }
    return stages[config.stage](config, run)


def before(config: Config, run: Run) -> Folder:
    """The run of the stage before; settings that it does not read are left at their defaults."""
    stage = BEFORE[config.stage]
    settings: dict[str, Any] = {"stage": stage, "source": config.source}
    if stage == "reduce":
        settings |= {"backend": config.backend, "liked_from": config.liked_from}
    return run.need(Config(**settings))


def crawl(config: Config, run: Run) -> dict[str, float]:
    """Collect the pages; the store in the run's folder is its checkpoint."""
    return config.source.collect(run.dir, run) or {"crawl/pages": 0.0}


def parse(config: Config, run: Run) -> dict[str, float]:
    """Raw tables, in parts; a part is written whole, so that a part that exists is not parsed again."""
    pages = before(config, run)
    raw, counts = run.dir / "raw", dict.fromkeys(TABLES, 0)
    for number, records in enumerate(run.progress(config.source.parts(pages.dir, run), "parts")):
        write_part(raw, number, records)
        for name in TABLES:
            counts[name] += len(getattr(records, name))
        run.checkpoint(number, partial(dict, parts=number + 1))
    if not counts["items"]:
        raise RequestError("no item was found in the source: do its addresses match source.parser.item?")
    return {f"rows/{name}": float(count) for name, count in counts.items()}


def reduce(config: Config, run: Run) -> dict[str, float]:
    """Duplicates merged, ids made canonical, unusable rows dropped and counted."""
    from lineshaft.recommend.pipeline import reduce as expressions

    raw, tables = before(config, run).dir / "raw", run.dir / "tables"
    metrics: dict[str, float] = {}
    reasons: list[dict[str, Any]] = []
    with session(config, run) as connection:
        found = {name: config.backend.read(connection, raw / name, f"raw_{name}") for name in TABLES}
        labelled = persisted(config, connection, expressions.items(found["items"]), run, "items")
        ids = expressions.aliases(labelled)
        for name, order in ORDER.items():
            if name == "edges":
                labelled = persisted(config, connection, expressions.edges(found[name], ids), run, name)
            if name == "interactions":
                made = expressions.interactions(found[name], ids, config.liked_from)
                labelled = persisted(config, connection, made, run, name)
            metrics[f"rows/{name}"] = config.backend.write(
                connection, expressions.kept(labelled, *order), tables / f"{name}.parquet"
            )
            reasons += connection.to_pyarrow(expressions.dropped(labelled, name)).to_pylist()
            run.checkpoint(len(metrics), lambda: {"tables": len(metrics)})
        reasons += connection.to_pyarrow(
            found["dropped"].order_by(["table", "reason", "example"])
        ).to_pylist()
        check_sums(connection, found, metrics, reasons)
    return metrics | told(run, reasons)


ORDER = {
    "items": ("item",),
    "edges": ("source", "target", "kind"),
    "interactions": ("user", "item"),
}
"""The complete order of each table's rows."""


def split(config: Config, run: Run) -> dict[str, float]:
    """The final tables: pseudonyms for users, a fold for every pair, the SHA-256 of every file."""
    from lineshaft.recommend.pipeline import split as expressions

    source, tables = before(config, run).dir / "tables", run.dir / "tables"
    metrics: dict[str, float] = {}
    with session(config, run) as connection:
        found = {name: config.backend.read(connection, source / f"{name}.parquet", name) for name in ORDER}
        made = {
            "items": expressions.unseen(found["items"].drop("canonical"), config.seed, config.unseen),
            "edges": found["edges"],
            "interactions": expressions.pseudonymised(
                expressions.split(found["interactions"], config.seed), secrets.token_hex(32)
            ),
        }
        for name, order in ORDER.items():
            path = tables / f"{name}.parquet"
            metrics[f"rows/{name}"] = config.backend.write(connection, made[name].order_by(list(order)), path)
            run.checkpoint(len(metrics), lambda: {"tables": len(metrics)})
        pairs = config.backend.read(connection, tables / "interactions.parquet", "pairs")
        for row in connection.to_pyarrow(pairs.group_by("fold").aggregate(rows=pairs.count())).to_pylist():
            metrics[f"pairs/{row['fold']}"] = float(row["rows"])
        metrics["users"] = float(connection.to_pyarrow(pairs.user.nunique()).as_py())
    manifest = {
        "seed": config.seed,
        "sha256": {p.name: checksum(p) for p in sorted(tables.glob("*.parquet"))},
    }
    (run.dir / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    return metrics


@contextmanager
def session(config: Config, run: Run) -> Iterator[Any]:
    """The back end, with a folder to spill into that is gone afterwards."""
    import shutil

    scratch = run.dir / "scratch"
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        with config.backend.session(scratch) as connection:
            yield connection
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def persisted(config: Config, connection: Any, labelled: Any, run: Run, name: str) -> Any:
    """Labelled rows computed once, for the rows kept and the reasons."""
    path = run.dir / "scratch" / f"labelled_{name}.parquet"
    config.backend.write(connection, labelled, path)
    return config.backend.read(connection, path, f"labelled_{name}")


def check_sums(connection: Any, found: Any, metrics: dict[str, float], reasons: list[dict[str, Any]]) -> None:
    """Every raw row is either kept or dropped for one reason."""
    for name in ORDER:
        raw = connection.to_pyarrow(found[name].count()).as_py()
        gone = sum(
            row["rows"] for row in reasons if row["table"] == name and "link to an item" not in row["reason"]
        )
        if raw != metrics[f"rows/{name}"] + gone:
            raise RuntimeError(
                f"{name}: {raw} raw rows, but {metrics[f'rows/{name}']} kept and {gone} dropped"
            )


def told(run: Run, reasons: list[dict[str, Any]]) -> dict[str, float]:
    """dropped.json: table, reason, rows and an example each; their sums as metrics."""
    summed: dict[tuple[str, str], dict[str, Any]] = {}
    for row in reasons:
        entry = summed.setdefault((row["table"], row["reason"]), {**row, "rows": 0})
        entry["rows"] += int(row["rows"])
    text = json.dumps(list(summed.values()), indent=1, ensure_ascii=False)
    (run.dir / "dropped.json").write_text(text + "\n", "utf-8")
    totals: dict[str, float] = {}
    for row in summed.values():
        key = f"dropped/{row['table']}"
        totals[key] = totals.get(key, 0.0) + row["rows"]
    return totals
