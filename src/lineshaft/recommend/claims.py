"""The ledger's rows of this system; what no finished run can show yet says so."""

from lineshaft.engine.claims.claim import Claim, Measured
from lineshaft.engine.claims.verdict import AtLeast, AtMost
from lineshaft.engine.table.table import Interval, Table

HEADLINE_GAIN = 7.0
"""DeepNaniNet over WMF, AnimeULike warm, recall@100, as published."""
RECALL = "test/recall@100"
LEAST_SENT, LEAST_MALFORMED = 1000, 100
"""Requests that must have carried the canary before it counts that it was not found."""


def animeulike(runs: Table) -> Table:
    """Runs on AnimeULike, whatever the model: other folds are another task, other baskets copies."""
    from lineshaft.recommend.catalogue.animeulike import Animeulike
    from lineshaft.recommend.experiments.guest import Config

    return runs.like(Config(data=Animeulike()), free=("seed", "model"))


def warm(runs: Table) -> Measured | None:
    """The largest gain over WMF that any model could have: recall is at most 1.

    Uses WMF in the authors' own setting, the weaker and so the more generous one. This bounds the claim; what
    decides it is DeepNaniNet over three seeds, of which no run is kept yet.
    """
    from lineshaft.recommend.catalogue.animeulike import Animeulike
    from lineshaft.recommend.experiments.guest import Config
    from lineshaft.recommend.tables import DROPOUTNET_WMF

    untuned = runs.like(Config(data=Animeulike(), model=DROPOUTNET_WMF))
    if not untuned:
        return None
    value, low, high = recall(untuned)
    best = runs.best("val/recall@100")
    by_item = untuned.interval(f"{RECALL}_item").value
    reason = (
        f"DeepNaniNet has no kept run over three seeds; shown is what no model can exceed, "
        f"1 / WMF's recall@100 of {value:.3f}: "
        f"{HEADLINE_GAIN:g}x {possible(low)}; as mean over items, {by_item:.3f}, the bound is "
        f"{1 / by_item:.1f}x. Best on validation so far: {best[0].values['model']}, "
        f"{best.interval(RECALL).value / value:.2f}x"
    )
    bound = Interval(1 / value, 1 / high, 1 / low)
    return Measured(bound, best + untuned, reason, at_most="not yet measured")


def possible(low: float) -> str:
    """Whether the headline's gain over a recall of at least `low` would stay below 1."""
    return "cannot hold on this fold" if low * HEADLINE_GAIN > 1 else "is not excluded by this"


def recall(runs: Table) -> Interval:
    """Test recall@100 with its 95 % interval: over seeds, or over users where there is one seed."""
    if len(runs) > 1:
        return runs.interval(RECALL)
    found = runs[0].result
    return Interval(found[RECALL], found[f"{RECALL}_low"], found[f"{RECALL}_high"])


def private(runs: Table) -> Measured | None:
    """How often the canary was found, in all runs that served a site together; one place is too many."""
    found, sent, malformed = (sum(runs.values(f"canary/{n}")) for n in ("found", "sent", "malformed"))
    reason = f"found {found:.0f} times after {sent:.0f} requests, {malformed:.0f} of them malformed"
    enough = sent >= LEAST_SENT and malformed >= LEAST_MALFORMED
    return Measured(Interval(found, found, found), runs, reason, at_most="exceeded" if enough else "partly")


CLAIMS = [
    Claim(
        id="recommend.cold",
        text="as strong as the best prior cold start on CiteULike (DropoutNet .636 recall@100)",
        how="DropoutNet's cold split, recall@100 among the cold items, titles and citations only (tags leak)",
        experiment="recommend.cold",
    ),
    Claim(
        id="recommend.guest",
        text="equal for in-matrix and out-of-matrix users, where DropoutNet degrades",
        how="recall@100 of the same users, their baskets outside and inside the training data, both models",
        experiment="recommend.guest",
    ),
    Claim(
        id="recommend.warm",
        text="AnimeULike warm: 7x WMF and 1.5x DropoutNet in recall@100",
        how="recall@100 of the test fold against tuned and untuned WMF and our DropoutNet, user and item "
        "means",
        experiment="recommend.guest",
        query=animeulike,
        measure=warm,
        verdict=AtLeast(HEADLINE_GAIN),
    ),
    Claim(
        id="recommend.graph",
        text="the item graph improves cold start",
        how="ablation on cold items: no graph, shuffled edges, edges without text",
        experiment="recommend.cold",
    ),
    Claim(
        id="recommend.encoder",
        text="end-to-end training of the language encoder is feasible and helps",
        how="cold items with the encoder frozen against its last layers tuned, paired by user",
        experiment="recommend.cold",
    ),
    Claim(
        id="recommend.private",
        text="guests are served without a profile",
        how="a canary basket is looked for on disk, in logs, database and addresses; none may be found",
        experiment="recommend.site",
        measure=private,
        verdict=AtMost(0),
    ),
]
