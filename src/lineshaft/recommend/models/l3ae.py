"""L3AE: EASE drawn towards an item-item matrix that texts alone give (Moon et al., 2025, arXiv 2508.13500).

    min over B of |X - X B|^2 + lam |B|^2 + pull |B - S|^2  with  B_jj = 0,   S = EASE on the text's columns

So pairs that few users have in common follow their texts, and pairs that many have follow the users. With
`side` instead of `pull` the columns join as further users: collective EASE. Often confused with mixing the
two matrices afterwards, which knows nothing of where the users are sure.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field
from scipy.sparse import csr_matrix

from lineshaft.recommend.catalogue.catalogue import Catalogue
from lineshaft.recommend.models import closedform
from lineshaft.recommend.models.model import Model, Scorer
from lineshaft.recommend.text.columns import columns
from lineshaft.recommend.text.encoders import Minilm, Words

AnyEncoder = Annotated[Minilm | Words, Field(discriminator="name")]
BOTH: tuple[AnyEncoder, ...] = (Minilm(), Words())


class L3ae(Model):
    """Linear autoencoder with text and graph."""

    name: Literal["l3ae"] = "l3ae"
    needs: ClassVar[str] = "text"
    draws: ClassVar[bool] = False

    lam: float = Field(100.0, gt=0, description="weight of the squared item-item weights")
    pull: float = Field(200.0, ge=0, description="weight of the distance to the matrix that texts give")
    side: float = Field(0.0, ge=0, description="weight of the text columns as further users")
    text: float = Field(10.0, gt=0, description="regularisation of the matrix that texts give")
    hops: int = Field(2, ge=0, description="how far texts spread over the item graph")
    fewest: int = Field(2, ge=1, description="users with fewer items are left out")
    encoders: tuple[AnyEncoder, ...] = Field(BOTH, min_length=1, description="what texts are turned into")
    rows: int | None = Field(None, ge=1, description="largest entries kept of each item's row; none: all")

    def fit(self, likes: csr_matrix, catalogue: Catalogue, *, seed: int, threads: int) -> Scorer:
        self.check(likes, catalogue)
        known = columns(catalogue, self.encoders, self.hops)
        problem = closedform.Problem(self.lam, self.side, self.pull, self.text, known, self.fewest)
        return closedform.fit(likes, catalogue, problem, self.rows)

    def memory(self, users: int, items: int) -> int:
        return closedform.memory(users, items, self.rows) + 8 * items * 2000
