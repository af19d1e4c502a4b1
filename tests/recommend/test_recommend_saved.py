"""A saved model answers as before, also in another process, holds nothing of a user, is refused if torn."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from recommend_toys import (
    ALL,
    DRAWN,
    fitted,
    names,
    sparse_likes,
)
from scipy.sparse import csr_matrix

from lineshaft.engine import RequestError
from lineshaft.recommend.catalogue.catalogue import Catalogue
from lineshaft.recommend.models.ease import Ease
from lineshaft.recommend.models.l3ae import L3ae
from lineshaft.recommend.models.model import Model, Scorer, load
from lineshaft.recommend.models.popularity import Popularity
from lineshaft.recommend.models.wmf import Wmf
from lineshaft.recommend.text.encoders import Words

READ = """
import sys, numpy as np
from lineshaft.recommend.models.model import load
scorer = load(sys.argv[1])
found = scorer.recommend(["Stück 3", "Stück 8"], k=5)
print(found)
"""


@pytest.mark.parametrize("model", ALL, ids=names)
def test_a_saved_model_answers_the_same(model: Model, tmp_path: Path) -> None:
    likes = sparse_likes(40, 60)
    scorer = fitted(model, likes)
    again = load(scorer.save(tmp_path / "model.safetensors"))
    assert (again.score(likes) == scorer.score(likes)).all()
    assert again.recommend(["Stück 3"], k=4) == scorer.recommend(["Stück 3"], k=4)
    assert again.catalogue.to_arrays().keys() == scorer.catalogue.to_arrays().keys()


def test_a_saved_model_answers_the_same_in_another_process(tmp_path: Path) -> None:
    scorer = fitted(L3ae(lam=1, pull=1, encoders=(Words(width=4),)), sparse_likes(40, 60))
    path = scorer.save(tmp_path / "model.safetensors")
    done = subprocess.run([sys.executable, "-c", READ, path], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(scorer.recommend(["Stück 3", "Stück 8"], k=5))


@pytest.mark.parametrize("model", ALL, ids=names)
def test_a_file_has_no_array_with_an_axis_of_users(model: Model, tmp_path: Path) -> None:
    """Users are 41, a number that no axis over items, factors, words or edges has."""
    likes = sparse_likes(41, 60)
    path = fitted(model, likes).save(tmp_path / "model.safetensors")
    from lineshaft.recommend.arrays import read

    arrays, _ = read(path)
    assert arrays and not [name for name, array in arrays.items() if 41 in array.shape]


@pytest.mark.parametrize("model", [m for m in ALL if m not in DRAWN], ids=names)
def test_a_file_does_not_depend_on_the_order_or_the_names_of_users(model: Model, tmp_path: Path) -> None:
    """Sums over users are all that is left of them: turning the rows round changes rounding at most.

    WMF's conjugate gradients stop before the last digits and carry rounding on; another seed moves it by 1.7.
    """
    likes = sparse_likes(40, 60)
    first, second = (fitted(model, rows).score(likes) for rows in (likes, likes[::-1].tocsr()))
    np.testing.assert_allclose(first, second, rtol=1e-3, atol=1e-2 if isinstance(model, Wmf) else 1e-4)


class Doubling(Popularity):
    """An outsider's model, in a file of their own."""

    def fit(self, likes: csr_matrix, catalogue: Catalogue, *, seed: int, threads: int) -> Scorer:
        from lineshaft.recommend.models.model import counts

        return Doubled(catalogue, counts(likes))


class Doubled(Scorer):
    def affinity(self, baskets: csr_matrix) -> np.ndarray:
        return np.tile(2 * self.likes, (baskets.shape[0], 1))

    def state(self):
        from lineshaft.recommend.models.model import State

        return State({}, {}, {})

    @classmethod
    def from_state(cls, catalogue, likes, state):
        return cls(catalogue, likes)


def test_an_outsiders_model_is_saved_and_loaded_by_its_class(tmp_path: Path) -> None:
    path = fitted(Doubling(), sparse_likes(40, 60)).save(tmp_path / "m")
    with pytest.raises(RequestError, match=r"kind .*Doubled: pass its class, load\(path, kinds="):
        load(path)
    assert load(path, kinds=[Doubled]).recommend(["Stück 3"], k=1).scores == [
        2 * sparse_likes(40, 60).sum(0).max()
    ]


@pytest.mark.parametrize(
    ("contents", "message"),
    [(None, "no such model file"), (b"", "not a file of arrays"), (b"\x90" * 64, "not a file of arrays")],
)
def test_what_is_no_model_is_refused(contents: bytes | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    if contents is not None:
        path.write_bytes(contents)
    with pytest.raises(RequestError, match=message):
        load(path)


def test_a_torn_file_and_one_of_another_program_are_refused(tmp_path: Path) -> None:
    path = fitted(Ease(), sparse_likes(40, 60)).save(tmp_path / "model")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(RequestError, match="shorter than its header says"):
        load(path)
    from lineshaft.recommend import arrays

    arrays.write(path, {"x": np.zeros(3, np.float32)}, {})
    with pytest.raises(RequestError, match=r"not a model of lineshaft\.recommend"):
        load(path)


def test_any_safetensors_reader_reads_the_file(tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    scorer = fitted(Ease(), sparse_likes(40, 60))
    path = scorer.save(tmp_path / "model.safetensors")
    assert (load_file(path)["model.weights"] == scorer.weights).all()
