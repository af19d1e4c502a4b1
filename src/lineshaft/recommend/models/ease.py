"""EASE: the linear item-item model with zero diagonal, in closed form (Steck, WWW 2019, equations 2 to 8).

    min over B of |X - X B|^2 + lam |B|^2  with  B_jj = 0   =>   B = I - P / diag(P),   P = (X'X + lam I)^-1

Inverted among users where these are fewer (see `closedform`). Often confused with SLIM, which asks for
non-negative, sparse weights and has no closed form.
"""

from typing import ClassVar, Literal

from pydantic import Field
from scipy.sparse import csr_matrix

from lineshaft.recommend.catalogue.catalogue import Catalogue
from lineshaft.recommend.models import closedform
from lineshaft.recommend.models.model import Model, Scorer


class Ease(Model):
    """Embarrassingly shallow autoencoder."""

    name: Literal["ease"] = "ease"
    draws: ClassVar[bool] = False
    lam: float = Field(300.0, gt=0, description="weight of the squared item-item weights; tens to hundreds")
    rows: int | None = Field(None, ge=1, description="largest entries kept of each item's row; none: all")

    def fit(self, likes: csr_matrix, catalogue: Catalogue, *, seed: int, threads: int) -> Scorer:
        self.check(likes, catalogue)
        return closedform.fit(likes, catalogue, closedform.Problem(self.lam), self.rows)

    def memory(self, users: int, items: int) -> int:
        return closedform.memory(users, items, self.rows)
