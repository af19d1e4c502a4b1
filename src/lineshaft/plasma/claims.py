"""The ledger's rows on plasma. Four wait for the hybrid; what particles alone can show is measured."""

from lineshaft.engine.claims.claim import Claim, Measured
from lineshaft.engine.claims.verdict import Within
from lineshaft.engine.table.table import Table

LEAST_SEEDS = 3
TINY = 0.03
BAND = (0.10, 0.50)
SHARES = {"ions": "nonthermal/ion", "electrons": "nonthermal/electron"}


def benchmark(runs: Table) -> Table:
    """The benchmark case at full size or finer: the most runs that differ in the seed alone.

    Another precision or number of particles is no further seed.
    """
    from lineshaft.plasma.tables import BENCHMARK_PPC
    from lineshaft.plasma.tables import benchmark as table

    full = runs.like(table()[0], free=("seed", "ppc", "precision", "rows")).where(f"ppc>={BENCHMARK_PPC}")
    return full.apart("seed")[0] if full else full


def rare(runs: Table) -> Measured | None:
    """Energy share of the non-thermal ions at the end of the benchmark case; electrons in the reason."""
    if len(runs) < LEAST_SEEDS:
        return None
    share = {who: runs.interval(f"{prefix}_energy_share") for who, prefix in SHARES.items()}
    number = {who: runs.interval(f"{prefix}_fraction") for who, prefix in SHARES.items()}
    reason = "; ".join(
        f"{number[who].value:.2%} of the {who} carry {share[who].value:.0%} "
        f"({share[who].low:.0%} to {share[who].high:.0%}) of their energy"
        for who in SHARES
    )
    time = runs[0].values["case.time"]
    reason += f"; means over {len(runs)} runs, time {time:g}/omega0, split at 4.5 sigma"
    are_tiny = all(found.high < TINY for found in number.values())
    return Measured(share["ions"], runs, reason, at_most="exceeded" if are_tiny else "not reproduced")


CLAIMS = [
    Claim(
        id="plasma.speed",
        text="an all-particle simulation is 8x slower than the hybrid",
        how="wall time at no worse bias of the non-thermal tail, same machine, threads, precision, means "
        "over 10 or more seeds; against our own fast PIC, plain and with light-cone start-up",
        experiment="plasma.simulate",
    ),
    Claim(
        id="plasma.fluid",
        text="an all-fluid representation has up to 6.8x the error on key quantities",
        how="error ratio all-fluid / hybrid per quantity at a held-out a0",
        experiment="plasma.simulate",
    ),
    Claim(
        id="plasma.coupling",
        text="ignoring the coupling has up to 2.6x the error",
        how="error ratio hybrid without injection / hybrid, for the field and for the tail",
        experiment="plasma.simulate",
    ),
    Claim(
        id="plasma.rare",
        text="a tiny fraction of particles carries 10-50 % of the energy",
        how="non-thermal share of the ions' energy at the end of the benchmark case "
        "(plasma.tables:benchmark), mean over seeds; number shares and electrons in the reason",
        experiment="plasma.simulate",
        query=benchmark,
        measure=rare,
        verdict=Within(*BAND),
    ),
    Claim(
        id="plasma.rollout",
        text="multi-step training and pushforward give stable long rollouts",
        how="error over rollout length with and without",
        experiment="plasma.simulate",
    ),
]
