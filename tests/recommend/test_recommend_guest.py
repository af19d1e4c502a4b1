"""The experiment: near the planted answer, resumed to the same metrics, refusing wrong requests."""

import time
from pathlib import Path

import numpy as np
import pytest

from lineshaft.engine import Options, RequestError
from lineshaft.engine.run.execute import execute
from lineshaft.engine.run.store import Folder
from lineshaft.engine.spec.config import Parent
from lineshaft.recommend import stages, tables
from lineshaft.recommend.catalogue.animeulike import Animeulike
from lineshaft.recommend.catalogue.source import Own
from lineshaft.recommend.evaluate.ranks import Ranks
from lineshaft.recommend.experiments import cold
from lineshaft.recommend.experiments.guest import Config, figures
from lineshaft.recommend.models.ease import Ease
from lineshaft.recommend.models.knn import Knn
from lineshaft.recommend.models.memoriser import Memoriser
from lineshaft.recommend.models.popularity import Popularity
from lineshaft.recommend.models.wmf import Wmf
from lineshaft.recommend.sample import COMMUNITY, ITEMS, USERS, sample

STAGES = ("val", "test", "guest", "guest1", "guest3", "guest5", "member")
GROUPS = ("val", "test", "guest", "member")


def done(config: Config, runs: Path) -> Folder:
    folder, state = execute("recommend.guest", config, runs, Options())
    assert state == "done", folder.error()
    return folder


@pytest.fixture(scope="module")
def default(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    began = time.process_time()  # of this process: the machine may be busy
    folder = done(Config(), tmp_path_factory.mktemp("runs"))
    assert time.process_time() - began < 15
    return folder


def test_the_default_run_lies_between_popularity_and_the_planted_answer(default: Folder) -> None:
    found = default.result()
    for stage in STAGES:
        floor, own, ceiling = (found[f"{stage}/recall@100{end}"] for end in ("_popularity", "", "_oracle"))
        assert 1.5 * floor < own < ceiling < 2.5 * own
        assert found[f"{stage}/recall@100_low"] < own < found[f"{stage}/recall@100_high"]


def test_the_saved_arrays_give_the_metrics_again(default: Folder) -> None:
    for stage in STAGES:
        ranks = Ranks(*default.array(f"{stage}_ranks_model").T)
        for k in (20, 100):
            per_user = default.array(f"{stage}_recall@{k}")
            assert (ranks.recall(k) == per_user).all() and len(per_user) == len(
                default.array(f"{stage}_users")
            )
            assert per_user.mean() == default.result()[f"{stage}/recall@{k}"]


def test_guests_and_members_are_the_same_people_asked_the_same(default: Folder) -> None:
    outside, inside = (default.array(f"{stage}_ranks_model") for stage in ("guest", "member"))
    assert (outside[:, :2] == inside[:, :2]).all() and (outside[:, 2] != inside[:, 2]).any()


def test_figures_are_drawn_from_the_arrays(default: Folder, tmp_path: Path) -> None:
    drawn = list(figures(default.dir))
    assert len(drawn) == 3
    for figure in drawn:
        figure.plot.savefig(tmp_path / "plot.png")
        assert all(axes.get_xlabel() and axes.lines for axes in figure.plot.axes) and figure.caption


@pytest.mark.parametrize(
    "model", [Popularity(), Memoriser(), Knn(), Wmf(iterations=2), Ease()], ids=lambda m: m.name
)
def test_every_model_runs_and_only_the_personal_ones_clear_the_floor(model, tmp_path: Path) -> None:
    found = done(Config(model=model, baskets=(3,)), tmp_path).result()
    personal = model.name not in ("popularity", "memoriser")
    assert (found["guest3/recall@100"] > 1.5 * found["guest3/recall@100_popularity"]) is personal
    if model.name == "memoriser":
        assert found["test/recall@100"] == pytest.approx(100 / ITEMS, rel=0.1)


@pytest.mark.parametrize("stage", GROUPS[1:])
def test_a_cut_run_resumes_to_the_same_metrics(
    stage: str, default: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, judge, seen = stages.judge, stages.judge, []

    def cutting(run, group, *others):
        name = next(iter(group))
        seen.append(name)
        if name == stage and seen.count(name) == 1:
            raise KeyboardInterrupt
        return judge(run, group, *others)

    monkeypatch.setattr(stages, "judge", cutting)
    options = Options(checkpoint_every=0)
    folder, state = execute("recommend.guest", Config(), tmp_path, options)
    assert state == "paused"
    folder, state = execute("recommend.guest", Config(), tmp_path, options)
    assert state == "done" and folder.result() == default.result()
    assert sorted(seen) == sorted([*GROUPS, stage]), "no finished stage is computed twice"
    monkeypatch.setattr(stages, "judge", whole)


def test_a_relaunch_with_another_model_is_computed_anew(tmp_path: Path) -> None:
    parent, state = execute("recommend.guest", Config(), tmp_path, Options(checkpoint_every=0))
    assert state == "done"
    lineage = Parent(experiment="recommend.guest", version=2, config=parent.config())
    again, plain = (done(Config(model=Knn(), parent=origin), tmp_path) for origin in (lineage, None))
    assert again.result() == plain.result() != parent.result()


def test_seeds_draw_other_folds_unless_these_are_fixed(default: Folder, tmp_path: Path) -> None:
    other, fixed = (done(Config(seed=1, folds=folds), tmp_path) for folds in (None, 0))
    assert other.result() != default.result()
    assert fixed.result() == default.result(), "EASE has no randomness of its own"


def test_a_request_that_leaves_nothing_to_ask_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="guest leaves nothing to ask for: 0 of 1200 users are guests"):
        execute("recommend.guest", Config(guests=1e-6), tmp_path, Options())


def test_a_catalogue_too_small_to_be_judged_is_refused(tmp_path: Path) -> None:
    (tmp_path / "likes.csv").write_text("user,item\n1,2\n1,3\n2,3\n")
    with pytest.raises(RequestError, match="leaves nothing to ask for"):
        execute(
            "recommend.guest", Config(data=Own(interactions=str(tmp_path / "likes.csv"))), tmp_path, Options()
        )


def test_missing_data_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINESHAFT_DATA", str(tmp_path / "nowhere"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(RequestError, match=r"nowhere/recommend/animeulike/ratings\.tsv\.gz"):
        execute("recommend.guest", Config(data=Animeulike()), tmp_path / "runs", Options())


def test_the_catalogue_is_planted_as_it_says() -> None:
    made, again = sample(), sample()
    assert (made.items == again.items).all() and made.taste.shape == (USERS, ITEMS)
    assert made.catalogue.to_arrays()["titles"].tobytes() == again.catalogue.to_arrays()["titles"].tobytes()
    np.testing.assert_allclose(made.taste.sum(1), 1, rtol=1e-3)
    counts = np.bincount(made.users)
    assert counts.min() >= 10 and counts.max() <= 60
    drawn = made.taste[made.users, made.items].mean()
    assert drawn > 5 * made.taste.mean(), "users like what their taste says"
    assert (
        len(set(made.catalogue.titles)) == ITEMS
        and len({tags[0] for tags in made.catalogue.tags}) == ITEMS // COMMUNITY
    )


def test_cold_items_are_found_by_their_texts_inside_and_outside_the_matrix(tmp_path: Path) -> None:
    folder, state = execute("recommend.cold", cold.Config(), tmp_path, Options())
    assert state == "done", folder.error()
    found = folder.result()
    for stage in ("val", "test", "inside", "outside"):
        assert found[f"{stage}/recall@100"] > 1.2 * found[f"{stage}/recall@100_popularity"]
    inside, outside = (folder.array(f"{stage}_ranks_model")[:, :2] for stage in ("inside", "outside"))
    assert (inside == outside).all(), "the same users are asked the same"
    assert len(list(cold.figures(folder.dir))) == 2


def test_tables_tune_every_personal_model_equally() -> None:
    for table, seeds in ((tables.citeulike, 10), (tables.animeulike, 3)):
        settings = {config.model for config in table()}
        assert tables.DROPOUTNET_WMF in settings and len(table()) == seeds * len(settings)
        tuned = settings - ({tables.DROPOUTNET_WMF} if table is tables.animeulike else set())
        budget = {name: sum(m.name == name for m in tuned) for name in ("knn", "wmf", "ease")}
        assert budget == {"knn": 9, "wmf": 9, "ease": 9}
