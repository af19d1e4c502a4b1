"""Text: ASC-19, aspect sentiment of 19 products and places, and DSC, sentiment of 24 categories of reviews.

ASC-19 is the benchmark of B-CL and CLASSIC: each task has its own two or three polarities (its own rows of
the head), so train with `schedule.loss_over=task`. `order=benchmark` follows one of its 20 published orders,
chosen by the seed. Test parts hold 15 to 1,120 sentences: one error is up to 7 points of a task, so report
means over orders.
"""

import json
import lzma
from collections.abc import Iterable
from typing import Literal

import torch
from pydantic import Field

from lineshaft.continual import data
from lineshaft.continual.backbones.words import encode
from lineshaft.continual.images import Images
from lineshaft.continual.streams.data import Data, DomainData
from lineshaft.continual.streams.split import build
from lineshaft.continual.streams.stream import Stream
from lineshaft.engine import Run

SPLITS = ("train", "dev", "test")


class Asc19(Data):
    """Sentence and aspect as one sequence of words; the published development part joins training."""

    name: Literal["asc19"] = "asc19"
    order: Literal["benchmark", "seed", "natural"] | tuple[int, ...] = Field(  # type: ignore[assignment]
        "benchmark",
        description="of the tasks: one of the benchmark's 20 by the seed, drawn, as in the file",
    )
    length: int = Field(64, ge=8, description="greatest number of tokens; longer sentences are cut")

    def load(self, run: Run) -> Images:
        path = run.data(data.ASC19) / "asc19.jsonl"
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        rows.sort(key=lambda row: row["split"] == "test")
        domains = list(dict.fromkeys(row["domain"] for row in rows))
        names = sorted({f"{row['domain']}/{row['polarity']}" for row in rows})
        return Images(
            name="asc19",
            x=encode([(row["term"], row["sentence"]) for row in rows], self.length),
            y=torch.tensor([names.index(f"{row['domain']}/{row['polarity']}") for row in rows]),
            trained=sum(row["split"] != "test" for row in rows),
            class_names=tuple(names),
            domains=torch.tensor([domains.index(row["domain"]) for row in rows]),
            domain_names=tuple(domains),
        )

    def open(self, run: Run, seed: int) -> Stream:
        images = self.load(run)
        assert images.domains is not None
        if self.order == "benchmark":
            orders = (run.data(data.ASC19) / "asc_orders_20.tsv").read_text().splitlines()
            order = benchmark_order(orders[seed % len(orders)], images.domain_names)
        else:
            order = self.ordered(len(images.domain_names), seed)
        place = torch.empty(len(order), dtype=torch.int64)
        place[torch.tensor(order)] = torch.arange(len(order))
        titles = [images.domain_names[i] for i in order]
        return build(images, place[images.domains], titles, seed=seed, device=run.device, **self.sizes())


def benchmark_order(line: str, names: Iterable[str]) -> list[int]:
    """Positions of the domains in one published order, whose names carry their source before an
    underscore.
    """
    known, renamed = list(names), {"rest": "rest14", "laptop": "laptop14"}
    tails = [word.split("_", 1)[1] for word in line.split("\t")]
    return [known.index(renamed.get(tail, tail)) for tail in tails]


class Dsc(DomainData):
    """Positive or negative, 24 product categories; every task is a category."""

    name: Literal["dsc"] = "dsc"
    length: int = Field(128, ge=8, description="greatest number of tokens; longer reviews are cut")

    def load(self, run: Run) -> Images:
        path = run.data(data.DSC24) / "dsc24.tsv.xz"
        rows = [line.split("\t", 3) for line in lzma.decompress(path.read_bytes()).decode().splitlines()]
        return reviews([(d, s, label, text) for d, s, label, text in rows], self.length, self.train_size)


def reviews(rows: list[tuple[str, str, str, str]], length: int, each: int | None) -> Images:
    """(domain, split, label, text) -> rows; `each` cuts training rows early, because words take long to
    encode.
    """
    rows = sorted(limited(rows, each), key=lambda row: row[1] == "test")
    domains = sorted({row[0] for row in rows})
    return Images(
        name="dsc",
        x=encode([row[3] for row in rows], length),
        y=torch.tensor([int(row[2] == "1") for row in rows]),
        trained=sum(row[1] != "test" for row in rows),
        class_names=("negative", "positive"),
        domains=torch.tensor([domains.index(row[0]) for row in rows]),
        domain_names=tuple(domains),
    )


def limited(rows: list[tuple[str, str, str, str]], each: int | None) -> list[tuple[str, str, str, str]]:
    kept, count = [], dict[tuple[str, ...], int]()
    for row in rows:
        count[row[:3]] = count.get(row[:3], 0) + 1
        if each is None or row[1] == "test" or count[row[:3]] <= each:
            kept.append(row)
    return kept
