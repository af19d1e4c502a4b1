"""The ledger's rows of this system; what no finished run can show yet says so."""

from lineshaft.engine.claims.claim import Claim, Measured
from lineshaft.engine.claims.verdict import AtLeast, AtMost, Verdict
from lineshaft.engine.table.row import Row
from lineshaft.engine.table.table import Interval, Table

HEADLINE_GAIN, OVER_DROPOUTNET = 7.0, 1.5
"""DeepNaniNet over WMF and over DropoutNet, AnimeULike warm, recall@100, as published."""
PUBLISHED_COLD = 0.636
"""DropoutNet's recall@100 on CiteULike-a's unseen items, as published."""
LEAST_SENT, LEAST_MALFORMED = 1000, 100
"""Requests that must have carried the canary before it counts that it was not found."""
NET = "deepnaninet"
SETS = ("citeulike-a", "animeulike")


def holding(runs: Table, data: str, task: str, *names: str) -> Table:
    """The comparisons on the test of a data set and a task that hold all these metrics, the fullest first."""
    found = (
        row
        for row in runs
        if (row.config["data"]["name"], row.config["task"]["name"]) == (data, task)
        and row.config["fold"] == "test"
        and all(name in row.result for name in names)
    )
    return Table(sorted(found, key=lambda row: -len(row.result)))


def on_both(runs: Table, task: str, *names: str) -> Table | None:
    """One such comparison of either data set; None where one is missing."""
    found = [holding(runs, data, task, *names)[:1] for data in SETS]
    return found[0] + found[1] if all(found) else None


def figure(run: Row, name: str) -> Interval:
    """A metric with its interval over people, seeds averaged."""
    return Interval(run.result[name], run.result[f"{name}_low"], run.result[f"{name}_high"])


def cold(runs: Table) -> Measured | None:
    """DeepNaniNet alone against the published figure; without a run of it the blend's closed forms."""
    alone = holding(runs, SETS[0], "unseen", f"unseen/{NET}/recall@100")[:1]
    found = alone or holding(runs, SETS[0], "unseen", "unseen/blend/recall@100")[:1]
    if not found:
        return None
    run, shown = found[0], NET if alone else "blend"
    others = ("blend", f"blend+{NET}", "dropoutnet", "wmf", "l3ae")
    beside = {one: run.result.get(f"unseen/{one}/recall@100") for one in others if one != shown}
    reason = f"{shown} alone; " + ", ".join(f"{one} {value:.3f}" for one, value in beside.items() if value)
    if not alone:
        reason = f"no kept run of DeepNaniNet: the blend without it; {reason}"
    value = figure(run, f"unseen/{shown}/recall@100")
    return Measured(value, found, reason, at_most="exceeded" if alone else "partly")


def guest(runs: Table) -> Measured | None:
    """What the same people lose who are not in the training part: DeepNaniNet's larger loss of two sets."""
    name = "inside-outside/{}/recall@100"
    found = on_both(runs, "unseen", name.format(NET), name.format("dropoutnet"))
    if found is None:
        return None
    losses = [figure(run, name.format(NET)) for run in found]
    reason = "; ".join(
        f"{run.config['data']['name']}: DeepNaniNet alone {told(loss)}, "
        + ", ".join(
            f"{shown} {told(figure(run, name.format(label)))}"
            for label, shown in (("dropoutnet", "DropoutNet"), (f"blend+{NET}", "the blend with it"))
            if name.format(label) in run.result
        )
        for run, loss in zip(found, losses)
    )
    return Measured(max(losses, key=lambda one: one.high), found, reason)


def warm(runs: Table) -> Measured | None:
    """DeepNaniNet's recall over tuned WMF's on AnimeULike."""
    found = holding(runs, SETS[1], "warm", f"warm/{NET}-wmf/recall@100")
    if not found:
        return None
    run = found[0]
    wmf, net, joined = (run.result[f"warm/{one}/recall@100"] for one in ("wmf", NET, f"blend+{NET}"))
    other, by_item = run.result.get("warm/dropoutnet/recall@100"), run.result["warm/wmf/recall@100_item"]
    rival = f"{net / other:.2f}x our DropoutNet" if other else "no kept run of DropoutNet"
    reason = (
        f"{rival} ({OVER_DROPOUTNET:g}x published); the blend with the network {joined / wmf:.2f}x WMF; "
        f"WMF's recall@100 is {wmf:.3f}, so {HEADLINE_GAIN:g}x {possible(wmf)}; as mean over items, "
        f"{by_item:.3f}, no model can exceed {1 / by_item:.1f}x"
    )
    gain = figure(run, f"warm/{NET}-wmf/recall@100")
    return Measured(Interval(net / wmf, 1 + gain.low / wmf, 1 + gain.high / wmf), found[:1], reason)


def possible(recall: float) -> str:
    """Whether the headline's gain over this recall would stay below 1."""
    return "cannot hold on this fold" if recall * HEADLINE_GAIN > 1 else "is not excluded by this"


def graph(runs: Table) -> Measured | None:
    """What is lost on unseen items without the graph: the smaller loss of two sets.

    DeepNaniNet's where its ablation was run; else that of WMF's bridge from texts, which is not the claim's
    model: partly at most.
    """
    found = on_both(runs, "unseen", f"unseen/edges=none-{NET}/recall@100")
    model, none, false = NET, "edges=none", "edges=shuffled"
    if found is None:
        model, none, false = "wmf", "bridge.hops=0", "bridge.shuffled=True"
        found = on_both(runs, "unseen", f"unseen/{none}-{model}/recall@100")
    if found is None:
        return None
    losses = [less(figure(run, f"unseen/{none}-{model}/recall@100")) for run in found]
    reason = "; ".join(
        f"{run.config['data']['name']}: {model} without a graph {told(loss)}, with a shuffled one "
        f"{told(less(figure(run, f'unseen/{false}-{model}/recall@100')))}{of_blend(run, none)}"
        for run, loss in zip(found, losses)
    )
    most: Verdict = "exceeded" if model == NET else "partly"
    return Measured(min(losses, key=lambda one: one.low), found, reason, at_most=most)


def of_blend(run: Row, variant: str) -> str:
    """What the blend with the network loses by the variant, where it was run."""
    name = f"unseen/blend+{variant}-blend+{NET}/recall@100"
    return f", the blend with it {told(less(figure(run, name)))}" if name in run.result else ""


def encoder(runs: Table) -> Measured | None:
    """What tuning the last two layers of the encoder adds on unseen items: the smaller gain of two sets."""
    found = on_both(runs, "unseen", f"unseen/tuned=2-{NET}/recall@100")
    if found is None:
        return None
    gains = [figure(run, f"unseen/tuned=2-{NET}/recall@100") for run in found]
    reason = "; ".join(
        f"{run.config['data']['name']}: two layers {told(gain)}, one "
        f"{told(figure(run, f'unseen/tuned=1-{NET}/recall@100'))}"
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
        verdict=AtLeast(HEADLINE_GAIN),
    ),
    Claim(
        id="recommend.graph",
        text="the item graph improves cold start",
        how="recall@100 on unseen items that is lost without the graph, paired over users, both data sets: "
        "of the network, or of WMF's bridge from texts; shuffled edges beside it",
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
