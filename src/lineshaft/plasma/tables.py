"""Grids of full-size runs: `lineshaft sweep plasma.tables:benchmark`."""

from lineshaft.plasma.cases import Langmuir, Slab, TwoStream
from lineshaft.plasma.experiments import ablation, train
from lineshaft.plasma.experiments.simulate import Config
from lineshaft.plasma.lhpc.methods import AllFluid, BiGaussian, Lhpc, Redrawn
from lineshaft.plasma.lhpc.target import Target

SEEDS = range(10)
BENCHMARK = Slab(time=330.0)
BENCHMARK_PPC = 120
TARGET = Slab(start=40.0, box=270.0, time=280.0)
"""The benchmark without the 50/omega0 that the light takes to arrive, which would favour late starts."""


def benchmark() -> list[Config]:
    """The benchmark case at full size (960,000 particles, 6600 steps), ten seeds: only their means count."""
    return [Config(case=BENCHMARK, ppc=BENCHMARK_PPC, seed=seed) for seed in SEEDS]


def ladder() -> list[Config]:
    """What any hybrid must beat: plain runs at several ppc, and the same physics started late and quietly."""
    plain = [(ppc, False) for ppc in (30, 60, 120)]
    cheap = [(ppc, True) for ppc in (15, 60, 120)]
    return [
        Config(case=BENCHMARK, ppc=ppc, quiet=late, light_cone=late, seed=seed)
        for ppc, late in (*plain, *cheap)
        for seed in SEEDS
    ]


def reference() -> list[ablation.Config]:
    """What the tails of `ablation` are held against: 960 particles a cell, seeds of their own."""
    rungs = (ablation.Rung(label="reference", ppc=960),)
    return [ablation.Config(case=TARGET, rungs=rungs, seed=100 + seed) for seed in range(8)]


def scan_a0() -> list[Config]:
    """The ten amplitudes of LHPC's data set, a0 = 2, 4, ..., 20, at full size."""
    amplitudes = [float(a0) for a0 in range(2, 21, 2)]
    return [Config(case=BENCHMARK.model_copy(update={"a0": a0}), ppc=BENCHMARK_PPC) for a0 in amplitudes]


def validation() -> list[Config]:
    """What theory knows: two plasma frequencies and a two-stream growth rate, in both precisions."""
    cases = [Langmuir(), Langmuir(density=2.0), TwoStream()]
    return [Config(case=case, precision=p) for case in cases for p in ("float32", "float64")]


def lhpc() -> list[train.Config]:
    """The learned hybrid and its rivals on the benchmark slab, three training seeds each: made for a GPU."""
    methods: list[train.AnyMethod] = [
        Lhpc(),
        Lhpc(coupling=False),
        Lhpc(net="none"),
        AllFluid(),
        AllFluid(core=False, fields="learned"),
        BiGaussian(),
        BiGaussian(core=False, fields="learned"),
        Redrawn(),
    ]
    return [
        train.Config(
            target=Target(),
            method=method,
            members=3,
            single=800,
            batch=8,
            unroll=(2, 4, 8),
            unroll_iterations=400,
            unroll_batch=3,
        )
        for method in methods
    ]
