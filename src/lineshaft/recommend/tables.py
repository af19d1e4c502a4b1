"""The tables of runs on real data: `lineshaft sweep recommend.tables:citeulike`.

Every personal model gets five settings on the same validation fold, so that none is tuned harder than
another; the test figures of a row are those of the setting with the best validation recall.
"""

from lineshaft.recommend.experiments.guest import Config, Recommender
from lineshaft.recommend.models.ease import Ease
from lineshaft.recommend.models.knn import Knn
from lineshaft.recommend.models.memoriser import Memoriser
from lineshaft.recommend.models.popularity import Popularity
from lineshaft.recommend.models.wmf import Wmf

SEEDS = (0, 1, 2)
DROPOUTNET_WMF = Wmf(factors=200, reg=1, alpha=10, iterations=10)
"""The setting of DropoutNet's teacher on CiteULike, copied by AnimeULike's authors for theirs."""
FLOOR: list[Recommender] = [Popularity(), Memoriser()]
KNN: list[Recommender] = [Knn(shrink=shrink) for shrink in (0, 10, 30, 100, 300)]


def citeulike() -> list[Config]:
    """CiteULike-a, DropoutNet's warm split: known users, guests who show 80 %, the same as members."""
    ease: list[Recommender] = [Ease(lam=lam) for lam in (25, 50, 100, 200, 400)]
    return _grid("citeulike-a", [*FLOOR, *KNN, *_wmf(), *ease])


def animeulike() -> list[Config]:
    """AnimeULike, 80 % of the reviews of each user who wrote 5 or more for training."""
    ease: list[Recommender] = [Ease(lam=lam) for lam in (50, 100, 200, 400, 800)]
    return _grid("animeulike", [*FLOOR, *KNN, *_wmf(), *ease])


def citeulike_baskets() -> list[Config]:
    """Guests who show 1, 3, 5 or 10 articles, for the settings that validation chose."""
    models = [Popularity(), Knn(), DROPOUTNET_WMF, Ease(lam=100)]
    sizes = (1, 3, 5, 10)
    return [
        Config(data="citeulike-a", model=m, basket=b, seed=s) for m in models for b in sizes for s in SEEDS
    ]


def _wmf() -> list[Recommender]:
    return [
        DROPOUTNET_WMF,
        Wmf(factors=200, reg=0.5, alpha=2, iterations=15),
        Wmf(factors=100, reg=0.5, alpha=5, iterations=15),
        Wmf(factors=64, reg=1, alpha=10, iterations=15),
        Wmf(factors=32, reg=20, alpha=5, iterations=15),
    ]


def _grid(data: str, models: list[Recommender]) -> list[Config]:
    return [Config(data=data, model=model, seed=seed) for model in models for seed in SEEDS]
