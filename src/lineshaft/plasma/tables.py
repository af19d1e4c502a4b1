"""Grids of full-size runs: `lineshaft sweep plasma.tables:benchmark`."""

from typing import Any

from lineshaft.plasma.cases import Langmuir, Slab, TwoStream
from lineshaft.plasma.experiments import step as cost
from lineshaft.plasma.experiments import train
from lineshaft.plasma.experiments.ablation import LADDER, Rung
from lineshaft.plasma.experiments.ablation import Config as Ladder
from lineshaft.plasma.experiments.restart import Config as Restart
from lineshaft.plasma.experiments.simulate import Config
from lineshaft.plasma.lhpc.methods import AllFluid, AnyMethod, BiGaussian, Lhpc, Redrawn
from lineshaft.plasma.lhpc.target import Target

SEEDS = range(10)
BENCHMARK = Slab(time=330.0)
BENCHMARK_PPC = 120
TARGET = Slab(start=40.0, box=272.0, time=280.0)
STRONG = TARGET.model_copy(update={"a0": 20.0})
THICK = Slab(start=40.0, thickness=800.0, box=848.0, time=880.0)
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


def ablation() -> list[Ladder]:
    """Everything: the ladder on the benchmark slab, at a0 = 20, on the thick target, and the references."""
    return [*ablation_slab(), *ablation_strong(), *ablation_thick(), *reference()]


def ablation_slab() -> list[Ladder]:
    """The ladder on the benchmark slab, ten seeds."""
    return [Ladder(case=TARGET, rungs=LADDER, seed=seed) for seed in SEEDS]


def ablation_strong() -> list[Ladder]:
    """The same at a0 = 20, for which nothing was chosen."""
    return [Ladder(case=STRONG, rungs=LADDER, seed=seed) for seed in range(5)]


def ablation_thick() -> list[Ladder]:
    """A target four times as thick, until light has crossed it: what a hybrid is for."""
    few = ("plain120", "cheap15", "cheap60", "a60", "a30", "a15", "b60", "b30", "b15")
    chosen = tuple(rung for rung in LADDER if rung.label in few)
    return [Ladder(case=THICK, rungs=chosen, seed=seed) for seed in range(3)]


def reference() -> list[Ladder]:
    """What tails are held against: 480 particles a cell; 240 at a0 = 20.

    For the thick target, where that would take hours, light-cone activation and quiet start with 120.
    """
    wanted = ((TARGET, 480, False, 8), (STRONG, 240, False, 4), (THICK, 120, True, 4))
    return [
        Ladder(case=case, rungs=(Rung(label="reference", ppc=ppc, cheap=cheap),), seed=100 + seed)
        for case, ppc, cheap, seeds in wanted
        for seed in range(seeds)
    ]


def restarts() -> list[Restart]:
    """Eight common restarts on the benchmark slab; three seeds."""
    times = tuple(float(time) for time in range(80, 221, 20))
    return [Restart(case=TARGET, ppc=120, times=times, seed=seed) for seed in range(3)]


def scan_a0() -> list[Config]:
    """The ten amplitudes of LHPC's data set, a0 = 2, 4, ..., 20, at full size."""
    amplitudes = [float(a0) for a0 in range(2, 21, 2)]
    return [Config(case=BENCHMARK.model_copy(update={"a0": a0}), ppc=BENCHMARK_PPC) for a0 in amplitudes]


def validation() -> list[Config]:
    """What theory knows: two plasma frequencies and a two-stream growth rate, in both precisions."""
    cases = [Langmuir(), Langmuir(density=2.0), TwoStream()]
    return [Config(case=case, precision=p) for case in cases for p in ("float32", "float64")]


WINDOW = 32.0
"""A kinetic front for L: all is particles to 12 c/omega0 behind the front of the slab."""


def lhpc() -> list[train.Config]:
    """The learned hybrid and its rivals on the benchmark slab, three training seeds each: made for a GPU.

    The order is that of importance. Every method has the same nets, iterations and batches.
    """
    learned: dict[str, Any] = {"core": False, "fields": "learned"}
    methods: list[AnyMethod] = [
        Lhpc(),
        Lhpc(coupling=False),
        AllFluid(),
        BiGaussian(),
        AllFluid(**learned),
        BiGaussian(**learned),
        Lhpc(core=False),
    ]
    plain = [_course(method) for method in methods]
    front = [
        _course(Lhpc(), window=WINDOW),
        _course(Lhpc(net="none"), window=WINDOW),
        _course(Redrawn(), WINDOW),
    ]
    changes: list[dict[str, Any]] = [{"pushforward": True}, {"noise": 0.1}]
    options = [_course(Lhpc()).model_copy(update=change) for change in changes]
    fno = _course(AllFluid(net="fno", **learned)).model_copy(update={"members": 1})
    return [*front, *plain, _course(Redrawn()), _course(Lhpc(net="none")), *options, fno]


def _course(method: AnyMethod, window: float = 0.0) -> train.Config:
    """The frozen recipe: single macro steps, then unrolled through 16, 32 and 64 steps."""
    return train.Config(
        target=Target(window=window),
        method=method,
        members=3,
        single=600,
        batch=8,
        unroll=(2, 4, 8),
        unroll_iterations=400,
        unroll_batch=2,
        compile=True,
    )


def step() -> list[cost.Config]:
    """What a step costs on a GPU: the training target, then the publication's cells with its number of
    particles, 4 and 16 times as many; 1, 3 and 10 % of them kinetic.
    """
    wide = {"start": 90.0, "thickness": 300.0, "box": 500.0}
    sizes = [Target(), *(Target(**wide, ppc=ppc) for ppc in (1920, 120, 480))]
    return [
        cost.Config(target=target, share=share, compile=share == 0.03)
        for target in sizes
        for share in (0.03, 0.01, 0.1)
    ]
