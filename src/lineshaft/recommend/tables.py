"""The tables of runs on real data: `lineshaft sweep recommend.tables:citeulike`.

Every personal model gets nine settings on the same validation folds, so that none is tuned harder than
another; the test figures of a row are those of the setting with the best mean validation recall. On
CiteULike-a that mean is over ten draws of the validation fold: lambdas from 60 to 120 differ by less than
one draw can tell, and its test fold is always the same.
"""

from collections.abc import Iterable

from lineshaft.recommend.catalogue.animeulike import Animeulike
from lineshaft.recommend.catalogue.anything import AnySource
from lineshaft.recommend.catalogue.citeulike import Citeulike
from lineshaft.recommend.experiments.guest import Config
from lineshaft.recommend.models.anything import AnyModel
from lineshaft.recommend.models.ease import Ease
from lineshaft.recommend.models.knn import Knn
from lineshaft.recommend.models.memoriser import Memoriser
from lineshaft.recommend.models.popularity import Popularity
from lineshaft.recommend.models.wmf import Wmf

SEEDS = range(3)
DRAWS = range(10)
DROPOUTNET_WMF = Wmf(factors=200, reg=1, alpha=10, iterations=10)
"""The setting of DropoutNet's teacher on CiteULike, copied by AnimeULike's authors for theirs."""
FLOOR: list[AnyModel] = [Popularity(), Memoriser()]
KNN: list[AnyModel] = [Knn(shrink=shrink) for shrink in (0, 1, 3, 10, 30, 100, 300, 1000, 3000)]


def citeulike() -> list[Config]:
    """CiteULike-a, DropoutNet's warm split: known users, guests who show 80 %, the same as members."""
    wmf: list[AnyModel] = [
        Wmf(factors=factors, reg=1, alpha=alpha, iterations=10)
        for factors in (100, 200, 400)
        for alpha in (10, 20, 40)
    ]
    ease: list[AnyModel] = [Ease(lam=lam) for lam in (25, 35, 50, 70, 100, 140, 200, 280, 400)]
    return _grid(Citeulike(), [*FLOOR, *KNN, *wmf, *ease], DRAWS)


def animeulike() -> list[Config]:
    """AnimeULike, 80 % of the reviews of each user who wrote 5 or more for training.

    The authors' own WMF is a tenth one: the published gain is over it.
    """
    wmf: list[AnyModel] = [
        Wmf(factors=factors, reg=reg, alpha=5, iterations=15)
        for factors in (8, 16, 32)
        for reg in (5, 10, 20)
    ]
    ease: list[AnyModel] = [Ease(lam=lam) for lam in (50, 70, 100, 140, 200, 280, 400, 560, 800)]
    return _grid(Animeulike(), [*FLOOR, *KNN, DROPOUTNET_WMF, *wmf, *ease], SEEDS)


def _grid(data: AnySource, models: list[AnyModel], seeds: Iterable[int]) -> list[Config]:
    return [Config(data=data, model=model, seed=seed) for model in models for seed in seeds]
