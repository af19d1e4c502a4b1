"""Where a pipeline begins: pages of a site, tables of one's own, or a known data set.

A source first collects (a crawl; nothing for files), then gives its rows in parts. One that is not here is a
subclass of `Source` in a file of your own.
"""

import csv
import gzip
import json
from abc import abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from lineshaft.engine import Part, RequestError, Run
from lineshaft.recommend import data as sets
from lineshaft.recommend.pipeline.manners import Manners
from lineshaft.recommend.pipeline.parse import Selectors
from lineshaft.recommend.pipeline.records import TABLES, Records, Row
from lineshaft.recommend.pipeline.store import PageStore

BOOKS = "books.test"
PAGES_A_PART = 500
ROWS_A_PART = 50_000


class Source(Part):
    """Gives raw rows, in parts that are the same each time they are asked for."""

    def collect(self, folder: Path, run: Run) -> dict[str, float]:
        """Bring together in a folder what `parts` reads; a stop and a restart go on where it was."""
        return {}

    @abstractmethod
    def parts(self, folder: Path, run: Run) -> Iterator[Records]:
        """Rows of the raw tables, a bounded number at a time."""


class Pages(Source):
    """The pages of a site, from its start addresses along its links, politely."""

    name: Literal["pages"] = "pages"
    start: tuple[str, ...] = Field((), description='addresses to start from, as ["https://example.org/"]')
    manners: Manners = Field(Manners(), description="how the crawl behaves")
    parser: Annotated[Selectors, Field(discriminator="name")] = Field(
        Selectors(), description="how the pages are read"
    )
    visit: int = Field(1, ge=1, description="raise it to ask for all pages again; only changes are sent")
    store: str = Field("", description="folder of pages that several visits share; none: the run's own")
    most_broken: float = Field(
        0.2, gt=0, le=1, description="share of item pages without a title at which the stage fails"
    )

    def collect(self, folder: Path, run: Run) -> dict[str, float]:
        if not self.start:
            raise RequestError('source=pages needs source.start=["https://..."]: where the crawl begins')
        return self._crawl(self.start, folder, run)

    def _crawl(self, starts: tuple[str, ...], folder: Path, run: Run, nearby: str = "") -> dict[str, float]:
        """`nearby`: the address that every request is sent to instead, for a recorded site."""
        import httpx

        from lineshaft.recommend.pipeline.crawl import Crawler, Nearby

        store = self._store(folder)
        with httpx.Client(transport=Nearby(nearby) if nearby else None) as client:
            crawler = Crawler(store, self.manners, self.parser.links, self.visit, client)
            crawler.crawl(starts, lambda count: run.checkpoint(count, lambda: {"pages": count}))
        pages = store.pages()
        return {
            "crawl/pages": float(len(pages)),
            "crawl/bodies": float(len({answer.digest for answer in pages})),
            "crawl/dropped": float(len(store.answers) - len(pages)),
            "crawl/requests": float(crawler.asked.total()),
        }

    def parts(self, folder: Path, run: Run) -> Iterator[Records]:
        store = self._store(folder)
        pages, first = store.pages(), Records()
        for answer in sorted(store.answers.values(), key=lambda a: a.url):
            if answer.dropped:
                first.drop("addresses", answer.dropped, answer.url)
        broken = 0
        yield first
        for start in range(0, len(pages), PAGES_A_PART):
            records = Records()
            for answer in pages[start : start + PAGES_A_PART]:
                found = self.parser.records(answer.url, store.body(answer), answer.content_type)
                broken += any(row["table"] == "pages" for row in found.dropped)
                records.extend(found)
            yield records
        if broken > self.most_broken * max(len(pages), 1):
            raise RequestError(
                f"{broken} of {len(pages)} pages have no title at {self.parser.title!r}: the site's markup "
                "has moved; set source.parser.title and its neighbours"
            )

    def _store(self, folder: Path) -> PageStore:
        return PageStore(Path(self.store) if self.store else folder / "store")


class RecordedBooks(Pages):
    """The embedded catalogue, served on this machine as a web site with faults, and crawled."""

    name: Literal["books"] = "books"  # type: ignore[assignment]
    manners: Manners = Field(Manners(delay=0.0, backoff=0.01), description="how the crawl behaves")

    def collect(self, folder: Path, run: Run) -> dict[str, float]:
        from lineshaft.recommend.books.recorded import recorded_books

        with recorded_books().served() as address:
            return self._crawl((f"http://{BOOKS}/",), folder, run, address)


class Tables(Source):
    """Tables of one's own, csv, tsv or parquet, with the columns of `pipeline.records`."""

    name: Literal["tables"] = "tables"
    interactions: str = Field("", description="file with the columns user, item, and rating, status if known")
    items: str = Field("", description="file with item, title, and text, tags (a|b), year, members if known")
    edges: str = Field("", description="file with source, target, and kind, weight, text if known")

    def parts(self, folder: Path, run: Run) -> Iterator[Records]:
        if not self.interactions or not self.items:
            raise RequestError("source=tables needs source.interactions=FILE and source.items=FILE")
        needed = {"items": ("item", "title"), "edges": ("source", "target"), "interactions": ("user", "item")}
        for table, columns in needed.items():
            if path := getattr(self, table):
                for rows in rows_of(Path(path), table, columns):
                    found = Records()
                    getattr(found, table).extend(rows)
                    yield found


class AnimeULike(Source):
    """The files of AnimeULike: reviews as interactions, titles and genres, both recommendation graphs."""

    name: Literal["animeulike"] = "animeulike"

    def parts(self, folder: Path, run: Run) -> Iterator[Records]:
        home = run.data(sets.ANIMEULIKE)
        yield Records(items=_anime(home), edges=_anime_edges(home))
        with gzip.open(home / "ratings.tsv.gz", "rt", encoding="utf-8") as file:
            rows: list[Row] = [
                {
                    "user": row["user"],
                    "item": row["item"],
                    "rating": float(row["rating"]),
                    "origin": "ratings.tsv.gz",
                }
                for row in csv.DictReader(file, delimiter="\t")
            ]
        for start in range(0, len(rows), ROWS_A_PART):
            yield Records(interactions=rows[start : start + ROWS_A_PART])


def rows_of(path: Path, table: str, needed: tuple[str, ...]) -> Iterator[list[dict[str, Any]]]:
    """A table's rows in bounded parts; an error names the file and the column that it lacks."""
    import polars as pl

    if not path.is_file():
        raise RequestError(f"{path}: there is no such file (source.{table})")
    separator = "\t" if path.suffix == ".tsv" else ","
    try:
        if path.suffix == ".parquet":
            frame = pl.scan_parquet(path)
        else:
            frame = pl.scan_csv(path, separator=separator, infer_schema=False)
        columns = frame.collect_schema().names()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise RequestError(f"{path}: not a table that can be read: {str(error)[:200]}") from None
    if lacks := [column for column in needed if column not in columns]:
        raise RequestError(f"{path}: no column {', '.join(lacks)}; it has {', '.join(columns[:12])}")
    kinds = {name: pl.Float64 if str(kind) == "double" else pl.String for name, kind in TABLES[table].items()}
    frame = frame.select([pl.col(n).cast(kinds[n], strict=False) for n in columns if n in kinds])
    for batch in frame.with_columns(origin=pl.lit(path.name)).collect_batches(chunk_size=ROWS_A_PART):
        yield batch.to_dicts()


def _anime(home: Path) -> list[Row]:
    """Items; those without a title are called by their number, as the ratings know them."""
    rank = {row: place for place, row in enumerate((home / "shows_rank_order.txt").read_text().split())}
    rows: list[Row] = []
    with gzip.open(home / "items.jsonl.gz", "rt", encoding="utf-8") as file:
        for item in map(json.loads, file):
            start = str(item.get("start") or "")[:4]
            tags = [*(item.get("genres") or []), *(item.get("themes") or [])]
            rows.append(
                {
                    "item": str(item["id"]),
                    "title": item.get("title") or f"No. {item['id']}",
                    "text": item.get("synopsis") or "",
                    "tags": "|".join(sorted({tag.lower() for tag in tags})),
                    "year": float(start) if start.isdigit() else None,
                    "members": float(len(rank) - rank[str(item["id"])]) if str(item["id"]) in rank else None,
                    "origin": "items.jsonl.gz",
                }
            )
    return rows


def _anime_edges(home: Path) -> list[Row]:
    kind = "recommendation"
    with gzip.open(home / "recs_graph_2022_notext.tsv.gz", "rt") as file:
        edges: list[Row] = [
            {
                "source": row["source_id"],
                "target": row["target_id"],
                "kind": kind,
                "weight": float(row["number"]),
            }
            for row in csv.DictReader(file, delimiter="\t")
        ]
    with gzip.open(home / "recs_author_text.jsonl.gz", "rt", encoding="utf-8") as file:
        for row in map(json.loads, file):
            said = (row.get("text") or "").split("\n")[0].strip()
            edges.append(
                {
                    "source": str(row["show1"]),
                    "target": str(row["show2"]),
                    "kind": kind,
                    "weight": float(row["n_recs"]),
                    "text": said,
                }
            )
    return edges
