"""AnimeULike: who reviewed which show, whatever the score (as its authors count), with titles, genres,
synopses, a graph of recommendations, and what was written about 1,070 pairs.

Columns are in order of MyAnimeList rank. The graph, titles and synopses were collected after the ratings
(2022 and 2023 against 2021).
"""

import csv
import gzip
import json
from pathlib import Path
from typing import Literal

import numpy as np
from scipy.sparse import csr_matrix

from lineshaft.engine import Run
from lineshaft.recommend.catalogue.catalogue import Catalogue, Edges
from lineshaft.recommend.catalogue.data import Data
from lineshaft.recommend.catalogue.source import Source
from lineshaft.recommend.data import ANIMEULIKE, ANIMEULIKE_ITEMS
from lineshaft.recommend.evaluate.folds import binary


class Animeulike(Source):
    """10,000 shows, reviews of 13,791 users; 80/20 of the users with five or more."""

    name: Literal["animeulike"] = "animeulike"

    def open(self, run: Run) -> Data:
        folder, items = run.data(ANIMEULIKE), run.data(ANIMEULIKE_ITEMS)
        users, found = likes(folder)
        return Data(users, found, catalogue(items))


def likes(folder: Path) -> tuple[list[str], csr_matrix]:
    """Users, and their reviews as likes."""
    shows = np.loadtxt(folder / "shows_rank_order.txt", int)
    column = {show: index for index, show in enumerate(shows.tolist())}
    with gzip.open(folder / "ratings.tsv.gz", "rt") as file:
        rows = [(row["user"], row["item"]) for row in csv.DictReader(file, delimiter="\t")]
    names, users = np.unique([int(user) for user, _ in rows], return_inverse=True)
    items = np.array([column[int(item)] for _, item in rows])
    return [str(name) for name in names], binary(users, items, (len(names), len(shows)))


def catalogue(folder: Path) -> Catalogue:
    """Both graphs as one: of a pair in both, the larger number of recommenders and the written text."""
    with gzip.open(folder / "items.jsonl.gz", "rt", encoding="utf-8") as file:
        items = [json.loads(line) for line in file]
    ids = [str(item["id"]) for item in items]
    tags = [tuple(dict.fromkeys([*item.get("genres", ()), *item.get("themes", ())])) for item in items]
    row = {name: number for number, name in enumerate(ids)}
    titles, texts = ([item.get(name) or "" for item in items] for name in ("title", "synopsis"))
    prior = -np.log(np.arange(len(ids)) + 30.0).astype(np.float32)  # the site's own rank, damped at the top
    return Catalogue(ids, titles, texts, tags, prior=prior, edges=_edges(folder, row))


def _edges(folder: Path, row: dict[str, int]) -> Edges:
    found: dict[tuple[int, int], tuple[float, str]] = {}
    with gzip.open(folder / "recs_graph_2022_notext.tsv.gz", "rt") as file:
        for line in csv.DictReader(file, delimiter="\t"):
            found[row[line["source_id"]], row[line["target_id"]]] = (float(line["number"]), "")
    with gzip.open(folder / "recs_author_text.jsonl.gz", "rt", encoding="utf-8") as file:
        for record in map(json.loads, file):
            ends = (row.get(str(record["show1"]), -1), row.get(str(record["show2"]), -1))
            if min(ends) >= 0:
                count = max(found.get(ends, (0.0, ""))[0], float(record["n_recs"]))
                found[ends] = (count, record["text"] or "")
    source, target = np.array(list(found), np.int32).T
    weight = np.array([count for count, _ in found.values()], np.float32)
    return Edges(source.copy(), target.copy(), weight, [text for _, text in found.values()])
