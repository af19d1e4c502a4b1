"""Fit a recommender to a catalogue and save it as one file that holds nothing about any user."""

import json
from typing import ClassVar

from pydantic import Field

from lineshaft import engine
from lineshaft.engine import Run
from lineshaft.recommend.catalogue.anything import AnySource
from lineshaft.recommend.catalogue.source import Sample
from lineshaft.recommend.evaluate.folds import draw_guests, guest_fold
from lineshaft.recommend.models.anything import AnyModel
from lineshaft.recommend.models.blend import Blend
from lineshaft.recommend.stages import in_turn

FILE = "model.safetensors"
"""In the run's folder; `lineshaft.recommend.models.model.load` reads it."""


class Config(engine.Config):
    """Judge a recommender on guests it has not seen (val: 80 % of their items shown; val1, val3: one and
    three), then fit it to everybody and save it as model.safetensors in the run's folder."""

    objective: ClassVar = ("val/recall@100", "max")

    data: AnySource = Field(Sample(), description="the likes and the catalogue")
    model: AnyModel = Field(Blend(), description="the recommender and its parameters")
    baskets: tuple[int, ...] = Field((1, 3), description="items that a guest shows, one stage each")
    guests: float = Field(0.1, gt=0, lt=1, description="share of users judged as guests before the last fit")


def run(config: Config, run: Run) -> dict[str, float]:
    """Metrics of the guests, if there are any; the file; counts.json with what was read and dropped."""
    data = config.data.open(run)
    (run.dir / "counts.json").write_text(json.dumps(dict(data.counted), indent=1, ensure_ascii=False))
    lots = data.lots.under(config.seed)
    guests = draw_guests(data.likes, lots, config.guests)
    folds = {
        f"val{'' if basket is None else basket}": guest_fold(data.likes, guests, basket, lots)
        for basket in (None, *config.baskets)
    }
    # Where nobody has the five items that it takes to be asked, there is nothing to judge by.
    found = in_turn(run, [folds], data, config.model, config.seed) if guests.any() else {}
    scorer = config.model.fit(data.likes, data.catalogue, seed=config.seed, threads=run.threads)
    size = scorer.save(run.dir / FILE).stat().st_size
    return found | {
        "guests": float(guests.sum()),
        "users": float(data.likes.shape[0]),
        "items": float(len(data.catalogue)),
        "megabytes": size / 1e6,
    }
