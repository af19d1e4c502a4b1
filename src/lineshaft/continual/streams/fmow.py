"""WILDS-FMoW (Christie et al. 2018; Koh et al., arXiv 2012.07421): 62 classes of land use by region or year.

Read in its own format (`fmow_v1.1`): `rgb_metadata.csv` with split, region (an index), timestamp and
category of each row, and `images/rgb_img_N.png` for row N. We never had the 50 GB: the reader is tested on a
sample in this format. Tasks follow the published order of regions: Europe, Americas, Asia, Oceania, Africa,
Other.
"""

import csv
from pathlib import Path
from typing import Literal

import torch
from pydantic import Field

from lineshaft.continual.data import IMAGENET_STATISTICS
from lineshaft.continual.images import Images
from lineshaft.continual.streams.data import DomainData
from lineshaft.continual.streams.folder import pixels
from lineshaft.engine import RequestError, Run

REGIONS = ("Asia", "Europe", "Africa", "Americas", "Oceania", "Other")
REGION_ORDER = (1, 3, 0, 4, 2, 5)
COLUMNS = ("split", "region", "timestamp", "category")
TESTED = ("id_val", "id_test")


class Fmow(DomainData):
    """Every task is a region, or a year. Training rows are WILDS's train, test rows its id_val or id_test."""

    name: Literal["fmow"] = "fmow"
    path: str = Field("", description="the folder fmow_v1.1 of WILDS")
    by: Literal["region", "year"] = Field("region", description="what a task is")
    tested: Literal["id_val", "id_test"] = Field("id_val", description="the split that tests")
    side: int = Field(224, ge=8, description="pixels of a side")

    def ordered(self, count: int, seed: int) -> list[int]:
        if self.order == "natural" and self.by == "region" and count == len(REGIONS):
            return list(REGION_ORDER)
        return super().ordered(count, seed)

    def load(self, run: Run) -> Images:
        root = Path(self.path)
        rows = [row for row in metadata(root) if row[1]["split"] in ("train", self.tested)]
        rows.sort(key=lambda row: row[1]["split"] != "train")
        if not rows:
            raise RequestError(f"{root / 'rgb_metadata.csv'} has no rows of split train or {self.tested}")
        classes = sorted({row["category"] for _, row in rows})
        titles = [title(row, self.by) for _, row in rows]
        names = [n for n in REGIONS if n in titles] if self.by == "region" else sorted(set(titles))
        return Images(
            name=f"fmow by {self.by}",
            x=torch.stack(
                [pixels(root / "images" / f"rgb_img_{number}.png", self.side) for number, _ in rows]
            ),
            y=torch.tensor([classes.index(row["category"]) for _, row in rows]),
            trained=sum(row["split"] == "train" for _, row in rows),
            class_names=tuple(classes),
            mean=IMAGENET_STATISTICS[0],
            std=IMAGENET_STATISTICS[1],
            domains=torch.tensor([names.index(t) for t in titles]),
            domain_names=tuple(names),
        )


def metadata(root: Path) -> list[tuple[int, dict[str, str]]]:
    """(number, row) of every image: the number in its file name is its place in the table."""
    path = root / "rgb_metadata.csv"
    if not path.is_file():
        raise RequestError(f"{path} is not there; data.path is the folder fmow_v1.1 that WILDS downloads")
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    if missing := [c for c in COLUMNS if rows and c not in rows[0]]:
        raise RequestError(f"{path} lacks the columns {', '.join(missing)}")
    return list(enumerate(rows))


def title(row: dict[str, str], by: str) -> str:
    if by == "year":
        return row["timestamp"][:4]
    number = row["region"]
    if not number.isdecimal() or int(number) >= len(REGIONS):
        raise RequestError(f"region {number} is none of 0 to {len(REGIONS) - 1} ({', '.join(REGIONS)})")
    return REGIONS[int(number)]
