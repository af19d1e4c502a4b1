"""Make the artefact of a site, measure its reasons, and prove that the site keeps nothing of a guest."""

import json
import tempfile
from functools import partial
from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from lineshaft import engine
from lineshaft.engine import Run
from lineshaft.recommend.catalogue.citeulike import Citeulike
from lineshaft.recommend.catalogue.source import Own
from lineshaft.recommend.models.anything import AnyModel
from lineshaft.recommend.site.artefact import Extras, build, note_figures, open_artefact
from lineshaft.recommend.site.canary import Canary, hunt
from lineshaft.recommend.site.measure import measure
from lineshaft.recommend.site.samples import MODEL, Books, Shown, Shows
from lineshaft.recommend.site.serving import serving

FOLDER = "artefact"


class Config(engine.Config):
    """Fit a model to everybody, write the artefact of a site, measure how far its reasons can be trusted,
    then serve it and send a canary basket: it may be found nowhere. `lineshaft serve recommend --model` takes
    the run."""

    version: ClassVar[int] = 1

    data: Annotated[Books | Shows | Own | Citeulike, Field(discriminator="name")] = Field(
        Books(), description="the likes and the catalogue"
    )
    model: AnyModel = Field(MODEL, description="the recommender and its parameters")
    title: str = Field("Recommendations", description="name of the site, where the data do not say it")
    things: str = Field("titles", description="what the items are called")
    note: str = Field("", description="where the data come from, shown on every page")
    users: int = Field(200, ge=1, description="users whose baskets the reasons are measured on")
    requests: int = Field(1000, ge=1, description="requests that carry the canary")
    malformed: int = Field(100, ge=0, description="those of them that are malformed")
    workers: int = Field(2, ge=1, description="workers of the site that is searched")


def run(config: Config, run: Run) -> dict[str, float]:
    """figures of the reasons; canary/found, which must be 0, and what was sent."""
    data = config.data.open(run)
    scorer = config.model.fit(data.likes, data.catalogue, seed=config.seed, threads=run.threads)
    given = Extras(config.title, config.things, config.note)
    extras = config.data.extras(run) if isinstance(config.data, Shown) else given
    folder = build(run.dir / FOLDER, scorer, extras)
    del scorer
    run.checkpoint(0, partial(dict, stage="built"))
    artefact = open_artefact(folder)
    figures = measure(artefact, data.likes, config.users, config.seed)
    note_figures(folder, figures)
    return {f"reasons/{name}": value for name, value in figures.items()} | canary(config, folder, run)


def canary(config: Config, folder: Path, run: Run) -> dict[str, float]:
    """Serve the artefact as an owner would, and search everything it leaves."""
    ids = open_artefact(folder).scorer.catalogue.ids
    basket = [ids[row] for row in np.random.default_rng([config.seed, 5]).permutation(len(ids))[:5]]
    options = ["--model", str(folder), "--workers", str(config.workers), "--rate", "0"]
    with tempfile.TemporaryDirectory() as home, serving(Path(home) / "site", options) as site:
        done = hunt(site, Canary(tuple(basket)), folder, config.requests, config.malformed)
    found = {"sent": done.sent, "malformed": done.malformed, "found": len(done.found)}
    told = {**found, "statuses": dict(done.statuses), "where": done.found}
    (run.dir / "canary.json").write_text(json.dumps(told, indent=1) + "\n", "utf-8")
    return {f"canary/{name}": float(value) for name, value in found.items()} | {
        "canary/server_errors": float(done.server_errors)
    }
