"""The ledger's rows on plasma. Four wait for the hybrid; what particles alone can show is measured."""

from collections import defaultdict
from collections.abc import Sequence

from lineshaft.engine import Folder
from lineshaft.engine.claims.claim import Claim, Evidence
from lineshaft.engine.table.stats import mean_interval

LEAST_SEEDS = 3
TINY = 0.03
BAND = (0.10, 0.50)
SHARES = {"ions": "nonthermal/ion", "electrons": "nonthermal/electron"}


def unmeasured(runs: Sequence[Folder]) -> Evidence | None:
    """Nothing to measure before the hybrid exists."""
    return None


def is_benchmark(run: Folder) -> bool:
    """The benchmark case at full size or finer."""
    from lineshaft.plasma.tables import BENCHMARK, BENCHMARK_PPC

    config = run.config()
    return config["case"] == BENCHMARK.model_dump(mode="json") and config["ppc"] >= BENCHMARK_PPC


def seeds_of_one(runs: Sequence[Folder]) -> list[Folder]:
    """The most runs that differ in the seed alone: another precision or ppc is no further seed."""
    groups: dict[str, list[Folder]] = defaultdict(list)
    for run in runs:
        groups[str(sorted((k, v) for k, v in run.config().items() if k != "seed"))].append(run)
    return max(groups.values(), key=len, default=[])


def rare(runs: Sequence[Folder]) -> Evidence | None:
    """Energy share of the non-thermal ions at the end of the benchmark case; electrons in the reason."""
    chosen = seeds_of_one([run for run in runs if is_benchmark(run)])
    if len(chosen) < LEAST_SEEDS:
        return None
    results = [run.result() for run in chosen]
    shares = {
        (name, what): mean_interval([result[f"{prefix}_{what}"] for result in results])
        for name, prefix in SHARES.items()
        for what in ("fraction", "energy_share")
    }
    value, low, high = shares["ions", "energy_share"]
    tiny = all(shares[name, "fraction"][2] < TINY for name in SHARES)
    inside = [BAND[0] <= end <= BAND[1] for end in (low, value, high)]
    verdict = "reproduced" if tiny and all(inside) else "partly" if tiny and inside[1] else "not reproduced"
    told = [
        f"{shares[name, 'fraction'][0]:.2%} of the {name} carry {shares[name, 'energy_share'][0]:.0%} "
        f"({shares[name, 'energy_share'][1]:.0%} to {shares[name, 'energy_share'][2]:.0%}) of their energy"
        for name in SHARES
    ]
    time = chosen[0].config()["case"]["time"]
    reason = f"{'; '.join(told)}; means over {len(chosen)} runs, time {time:g}/omega0, split at 4.5 sigma"
    return Evidence(value, low, high, verdict, runs=[run.id for run in chosen], reason=reason)


CLAIMS = [
    Claim(
        id="plasma.speed",
        text="an all-particle simulation is 8x slower than the hybrid",
        how="wall time at no worse bias of the non-thermal tail, same machine, threads, precision, means "
        "over 10 or more seeds; against our own fast PIC, plain and with light-cone start-up",
        experiment="plasma.simulate",
        measure=unmeasured,
    ),
    Claim(
        id="plasma.fluid",
        text="an all-fluid representation has up to 6.8x the error on key quantities",
        how="error ratio all-fluid / hybrid per quantity at a held-out a0",
        experiment="plasma.simulate",
        measure=unmeasured,
    ),
    Claim(
        id="plasma.coupling",
        text="ignoring the coupling has up to 2.6x the error",
        how="error ratio hybrid without injection / hybrid, for the field and for the tail",
        experiment="plasma.simulate",
        measure=unmeasured,
    ),
    Claim(
        id="plasma.rare",
        text="a tiny fraction of particles carries 10-50 % of the energy",
        how="non-thermal share of the ions' energy at the end of the benchmark case "
        "(plasma.tables:benchmark), mean over seeds; number shares and electrons in the reason",
        experiment="plasma.simulate",
        measure=rare,
    ),
    Claim(
        id="plasma.rollout",
        text="multi-step training and pushforward give stable long rollouts",
        how="error over rollout length with and without",
        experiment="plasma.simulate",
        measure=unmeasured,
    ),
]
