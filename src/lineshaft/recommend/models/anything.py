"""Every recommender of this package, as one choice."""

from typing import Annotated

from pydantic import Field

from lineshaft.recommend.models.blend import Blend
from lineshaft.recommend.models.content import Content
from lineshaft.recommend.models.deepnaninet import DeepNaniNet
from lineshaft.recommend.models.dropoutnet import DropoutNet
from lineshaft.recommend.models.ease import Ease
from lineshaft.recommend.models.graph import Graph
from lineshaft.recommend.models.knn import Knn
from lineshaft.recommend.models.l3ae import L3ae
from lineshaft.recommend.models.marec import Marec
from lineshaft.recommend.models.memoriser import Memoriser
from lineshaft.recommend.models.popularity import Popularity
from lineshaft.recommend.models.prior import Prior
from lineshaft.recommend.models.wmf import Wmf

AnyModel = Annotated[
    Popularity
    | Prior
    | Memoriser
    | Knn
    | Wmf
    | Ease
    | L3ae
    | Marec
    | Content
    | Graph
    | DropoutNet
    | DeepNaniNet
    | Blend,
    Field(discriminator="name"),
]
