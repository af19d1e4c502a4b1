"""The ledger's rows of this system; what no finished run can show yet says so."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from lineshaft.engine import Folder
from lineshaft.engine.claims.claim import Claim, Evidence
from lineshaft.engine.table.stats import mean_interval

HEADLINE_GAIN = 7.0
"""DeepNaniNet over WMF, AnimeULike warm, recall@100, as published."""


def unbuilt(runs: Sequence[Folder]) -> None:
    """The model or experiment of the row does not exist yet: no run bears on it."""


def warm(runs: Sequence[Folder]) -> Evidence | None:
    """The largest gain over WMF that any model could have: recall is at most 1.

    Uses WMF in the authors' own setting, the weaker and so the more generous one. This bounds the claim; what
    decides it is DeepNaniNet, which does not exist yet.
    """
    from lineshaft.recommend.tables import DROPOUTNET_WMF

    settings = _settings(runs)
    untuned = settings.get(DROPOUTNET_WMF.model_dump_json(), [])
    if not untuned:
        return None
    value, low, high = _recall(untuned)
    rivals = [others for others in settings.values() if _seeds(others) >= _seeds(untuned)]
    best = max(rivals, key=lambda others: _mean(others, "val/recall@100"))
    by_item = _mean(untuned, "test/recall@100_item")
    return Evidence(
        1 / value,
        1 / high,
        1 / low,
        "not yet measured",
        sorted({run.id for run in [*untuned, *best]}),
        f"DeepNaniNet is not built; shown is what no model can exceed, 1 / WMF's recall@100 of {value:.3f}: "
        f"{HEADLINE_GAIN:g}x {_possible(low)}; as mean over items, {by_item:.3f}, the bound is "
        f"{1 / by_item:.1f}x. Best on validation so far: {best[0].config()['model']['name']}, "
        f"{_mean(best, 'test/recall@100') / value:.2f}x",
    )


def _possible(low: float) -> str:
    """Whether the headline's gain over a recall of at least `low` would stay below 1."""
    return "cannot hold on this fold" if low * HEADLINE_GAIN > 1 else "is not excluded by this"


def _settings(runs: Sequence[Folder]) -> dict[str, list[Folder]]:
    """Model -> its runs on AnimeULike, one a seed: other folds are another task, other baskets copies."""
    from lineshaft.recommend.catalogue.animeulike import Animeulike
    from lineshaft.recommend.experiments.guest import Config

    data = Animeulike()

    found = defaultdict(list)
    for run in runs:
        config = Config.model_validate(run.config())
        if config == Config(data=data, model=config.model, seed=config.seed):  # type: ignore[arg-type]
            found[config.model.model_dump_json()].append(run)
    return found


def _seeds(runs: Sequence[Folder]) -> set[int]:
    return {run.config()["seed"] for run in runs}


def _mean(runs: Sequence[Folder], metric: str) -> float:
    return float(np.mean([run.result()[metric] for run in runs]))


def _recall(runs: Sequence[Folder]) -> tuple[float, float, float]:
    """Test recall@100 with its 95 % interval: over seeds, or over users where there is one seed."""
    results = [run.result() for run in runs]
    if len(results) > 1:
        return mean_interval([result["test/recall@100"] for result in results])
    names = ("test/recall@100", "test/recall@100_low", "test/recall@100_high")
    value, low, high = np.array([results[0][name] for name in names])
    return float(value), float(low), float(high)


CLAIMS = [
    Claim(
        "recommend.cold",
        "as strong as the best prior cold start on CiteULike (DropoutNet .636 recall@100)",
        "DropoutNet's cold split, recall@100 among the cold items, titles and citations only (tags leak)",
        "recommend.cold",
        unbuilt,
    ),
    Claim(
        "recommend.guest",
        "equal for in-matrix and out-of-matrix users, where DropoutNet degrades",
        "recall@100 of the same users, their baskets outside and inside the training data, both models",
        "recommend.guest",
        unbuilt,
    ),
    Claim(
        "recommend.warm",
        "AnimeULike warm: 7x WMF and 1.5x DropoutNet in recall@100",
        "recall@100 of the test fold against tuned and untuned WMF and our DropoutNet, user and item means",
        "recommend.guest",
        warm,
    ),
    Claim(
        "recommend.graph",
        "the item graph improves cold start",
        "ablation on cold items: no graph, shuffled edges, edges without text",
        "recommend.cold",
        unbuilt,
    ),
    Claim(
        "recommend.encoder",
        "end-to-end training of the language encoder is feasible and helps",
        "cold items with the encoder frozen against its last layers tuned, paired by user",
        "recommend.cold",
        unbuilt,
    ),
    Claim(
        "recommend.private",
        "guests are served without a profile",
        "a canary basket is looked for on disk, in logs, database and addresses; none may be found",
        "recommend.site",
        unbuilt,
    ),
]
