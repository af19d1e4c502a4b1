"""The ledger's rows of this system; what no finished run can show yet says so."""

from lineshaft.engine import Config
from lineshaft.engine.claims.claim import Claim, Measured
from lineshaft.engine.claims.verdict import AtLeast, AtMost
from lineshaft.engine.table.row import Row
from lineshaft.engine.table.table import Interval, Table

HEADLINE_GAIN, OVER_DROPOUTNET = 7.0, 1.5
"""DeepNaniNet over WMF and over DropoutNet, AnimeULike warm, recall@100, as published."""
PUBLISHED_COLD = 0.636
"""DropoutNet's recall@100 on CiteULike-a's unseen items, as published."""
LEAST_SENT, LEAST_MALFORMED = 1000, 100
"""Requests that must have carried the canary before it counts that it was not found."""
NET = "deepnaninet"


def kept(runs: Table, *configs: Config) -> Table | None:
    """The run of every configuration; None where one is missing."""
    found = [runs.like(config) for config in configs]
    return sum(found[1:], found[0]) if all(found) else None


def figure(run: Row, name: str) -> Interval:
    """A metric with its interval over people, seeds averaged."""
    return Interval(run.result[name], run.result[f"{name}_low"], run.result[f"{name}_high"])


def cold(runs: Table) -> Measured | None:
    """DeepNaniNet alone against the published figure."""
    from lineshaft.recommend import comparison
    from lineshaft.recommend.evaluate.tasks import Unseen

    found = kept(runs, comparison.of(comparison.CITEULIKE, Unseen()))
    if found is None:
        return None
    run, name = found[0], "unseen/{}/recall@100"
    plain, joined, rival, wmf = (
        run.result[name.format(one)] for one in ("blend", f"blend+{NET}", "dropoutnet", "wmf")
    )
    reason = (
        f"DeepNaniNet alone; with it the blend reaches {joined:.3f}, without {plain:.3f}; our DropoutNet "
        f"{rival:.3f}, WMF with a bridge {wmf:.3f}; over our DropoutNet "
        f"{told(figure(run, f'unseen/{NET}-dropoutnet/recall@100'))}"
    )
    return Measured(figure(run, name.format(NET)), found, reason)


def guest(runs: Table) -> Measured | None:
    """What the same people lose who are not in the training part: DeepNaniNet's larger loss of two sets."""
    from lineshaft.recommend import comparison
    from lineshaft.recommend.evaluate.tasks import Unseen

    found = kept(runs, *(comparison.of(settings, Unseen()) for settings in comparison.SETS))
    if found is None:
        return None
    name = "inside-outside/{}/recall@100"
    losses = [figure(run, name.format(NET)) for run in found]
    reason = "; ".join(
        f"{run.values['data']}: DeepNaniNet {told(loss)}, blend with it "
        f"{told(figure(run, name.format(f'blend+{NET}')))}, DropoutNet "
        f"{told(figure(run, name.format('dropoutnet')))}"
        for run, loss in zip(found, losses)
    )
    return Measured(max(losses, key=lambda one: one.high), found, reason)


def warm(runs: Table) -> Measured | None:
    """DeepNaniNet's recall over tuned WMF's on AnimeULike."""
    from lineshaft.recommend import comparison
    from lineshaft.recommend.evaluate.tasks import Warm

    found = kept(runs, comparison.of(comparison.ANIMEULIKE, Warm()))
    if found is None:
        return None
    run = found[0]
    wmf, net, other = (run.result[f"warm/{one}/recall@100"] for one in ("wmf", NET, "dropoutnet"))
    by_item = run.result["warm/wmf/recall@100_item"]
    joined = run.result[f"warm/blend+{NET}/recall@100"]
    reason = (
        f"{net / other:.2f}x our DropoutNet ({OVER_DROPOUTNET:g}x published); the blend with the network "
        f"{joined / wmf:.2f}x WMF; WMF's recall@100 is {wmf:.3f}, so {HEADLINE_GAIN:g}x {possible(wmf)}; "
        f"as mean over items, {by_item:.3f}, no model can exceed {1 / by_item:.1f}x"
    )
    gain = figure(run, f"warm/{NET}-wmf/recall@100")
    return Measured(Interval(net / wmf, 1 + gain.low / wmf, 1 + gain.high / wmf), found, reason)


def possible(recall: float) -> str:
    """Whether the headline's gain over this recall would stay below 1."""
    return "cannot hold on this fold" if recall * HEADLINE_GAIN > 1 else "is not excluded by this"


def graph(runs: Table) -> Measured | None:
    """What the network loses on unseen items without the graph: the smaller loss of two sets."""
    from lineshaft.recommend import comparison
    from lineshaft.recommend.evaluate.tasks import Unseen

    found = kept(runs, *(comparison.ablation(settings, Unseen()) for settings in comparison.SETS))
    if found is None:
        return None
    losses = [less(figure(run, f"unseen/edges=none-{NET}/recall@100")) for run in found]
    reason = "; ".join(
        f"{run.values['data']}: without a graph {told(loss)}, shuffled edges "
        f"{told(less(figure(run, f'unseen/edges=shuffled-{NET}/recall@100')))}, edges without texts "
        f"{told(less(figure(run, f'unseen/edges=plain-{NET}/recall@100')))}; in the blend "
        f"{told(less(figure(run, f'unseen/blend+edges=none-blend+{NET}/recall@100')))}"
        for run, loss in zip(found, losses)
    )
    return Measured(min(losses, key=lambda one: one.low), found, reason)


def encoder(runs: Table) -> Measured | None:
    """What tuning the last two layers of the encoder adds on unseen items: the smaller gain of two sets."""
    from lineshaft.recommend import comparison

    found = kept(runs, *comparison.encoder())
    if found is None:
        return None
    gains = [figure(run, f"unseen/tuned=2-{NET}/recall@100") for run in found]
    reason = "; ".join(
        f"{run.values['data']}: two layers {told(gain)}, one "
        f"{told(figure(run, f'unseen/tuned=1-{NET}/recall@100'))}, in the blend "
        f"{told(figure(run, f'unseen/blend+tuned=2-blend+{NET}/recall@100'))}"
        for run, gain in zip(found, gains)
    )
    return Measured(min(gains, key=lambda one: one.low), found, reason)


def less(change: Interval) -> Interval:
    """A change as a loss."""
    return Interval(-change.value, -change.high, -change.low)


def told(found: Interval) -> str:
    return f"{found.value:+.3f} [{found.low:+.3f}, {found.high:+.3f}]"


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
        how="DropoutNet's cold split, recall@100 among the cold items, titles and citations only (tags "
        "leak), mean of three seeds, interval over users",
        experiment="recommend.compare",
        measure=cold,
        verdict=AtLeast(PUBLISHED_COLD, exceeded=PUBLISHED_COLD + 0.01),
    ),
    Claim(
        id="recommend.guest",
        text="equal for in-matrix and out-of-matrix users, where DropoutNet degrades",
        how="recall@100 on unseen items of the same users, once trained on and once not: the loss, paired",
        experiment="recommend.compare",
        measure=guest,
        verdict=AtMost(0.01),
    ),
    Claim(
        id="recommend.warm",
        text="AnimeULike warm: 7x WMF and 1.5x DropoutNet in recall@100",
        how="recall@100 of the test fold over tuned WMF's and over our DropoutNet's, three seeds",
        experiment="recommend.compare",
        measure=warm,
        verdict=AtLeast(HEADLINE_GAIN, partly=1.0),
    ),
    Claim(
        id="recommend.graph",
        text="the item graph improves cold start",
        how="recall@100 on unseen items that the network loses without the graph, paired over users, three "
        "seeds, both data sets; shuffled edges and edges without texts beside it",
        experiment="recommend.compare",
        measure=graph,
        verdict=AtLeast(0),
    ),
    Claim(
        id="recommend.encoder",
        text="end-to-end training of the language encoder is feasible and helps",
        how="recall@100 on unseen items, the last two layers of MiniLM tuned against the frozen encoder, "
        "paired over users, three seeds, both data sets",
        experiment="recommend.compare",
        measure=encoder,
        verdict=AtLeast(0),
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
