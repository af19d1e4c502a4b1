"""Where likes and items come from: a part of the configuration that opens itself.

An outsider's data set is a `Source` in a file of their own, named in the union of their `Config`.
"""

from abc import abstractmethod
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field

from lineshaft.engine import Dataset, Part, RequestError, Run
from lineshaft.engine.data.dataset import checksum
from lineshaft.recommend.catalogue.data import Data
from lineshaft.recommend.evaluate.folds import binary


class Source(Part):
    """A data set that opens itself."""

    name: str

    @abstractmethod
    def open(self, run: Run) -> Data:
        """Read everything; files go through `run.data`, so that their checksums become provenance."""


class Sample(Source):
    """The generated catalogue of this package, its answer known."""

    name: Literal["sample"] = "sample"
    draw: int = Field(0, ge=0, description="seed of the generated catalogue")
    users: int = Field(1200, ge=20, description="number of users")
    items: int = Field(1500, ge=200, le=1500, description="number of items")

    def open(self, run: Run) -> Data:
        from lineshaft.recommend.sample import sample

        made = sample(self.draw, self.users, self.items)
        likes = binary(made.users, made.items, made.taste.shape)
        users = [str(number) for number in range(likes.shape[0])]
        return Data(users, likes, made.catalogue, taste=np.asarray(made.taste))


class Own(Source):
    """Tables of your own: csv, tsv or parquet files; only the interactions are required."""

    name: Literal["own"] = "own"
    interactions: str = Field("", description="file with columns user,item[,value][,time]")
    items: str | None = Field(None, description="file with columns item[,title][,text][,tags]")
    edges: str | None = Field(None, description="file with columns source,target[,weight][,text]")
    like: float | None = Field(None, description="least value that counts as liked; none: any above 0")

    def open(self, run: Run) -> Data:
        if not self.interactions:
            raise RequestError("data=own needs data.interactions=FILE, a table with columns user,item")
        from lineshaft.recommend.catalogue import tables  # needs polars, which bare machines lack

        interactions = self._file(run, self.interactions)
        items, edges = (name and self._file(run, name) for name in (self.items, self.edges))
        read = tables.read(interactions, items or None, edges or None, self.like)
        return Data(read.users, read.likes, read.catalogue, read.counted, times=read.times)

    @staticmethod
    def _file(run: Run, name: str) -> Path:
        """The file; its checksum goes into provenance, and a resumed run refuses changed contents."""
        path = Path(name).expanduser().resolve()
        if not path.is_file():
            return path
        sums = {path.name: checksum(path)}
        run.data(Dataset(f"own:{path.name}", str(path.parent), sums, source=str(path), licence="the owner's"))
        return path
