"""`python -m benchmarks.hybrid`: sparse and dense pushes, the benchmark slab's step, and the dense kernels
beside those of an old commit, all on one core in this run.

Variants take turns, the best of a few rounds counts, CPU time is measured: other work on the machine enters
little. What the hybrids cost is measured by `plasma.ablation`, whose rungs take turns as well.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.figures import main
from lineshaft.engine.run.provenance import processor
from lineshaft.plasma.pic.compile import use_threads
from lineshaft.plasma.pic.lists import Particles
from lineshaft.plasma.pic.simulation import Simulation
from lineshaft.plasma.pic.species import Species
from lineshaft.plasma.tables import TARGET

OLD = "220a785"
CELLS, DX, TEMPERATURE = 9600, 0.05, 0.01
ROUNDS = 6


def hybrid(say: Callable[[str], None] = lambda text: None) -> dict[str, Any]:
    """All figures: millions of pushes a second, and milliseconds a step."""
    use_threads(1)
    say("sparse tails")
    sparse = {str(ppc): taken_in_turn({t: warm(ppc, t) for t in (1, 16)}) for ppc in (1, 2, 4)}
    say("the benchmark slab")
    slab = TARGET.contents().build(120, np.float32, 0)
    slab.run(400)
    step = min(seconds(slab, 50) for _ in range(ROUNDS)) / 50
    say("dense kernels beside the old ones")
    return {
        "sparse_mpush_per_s": {ppc: found[16] for ppc, found in sparse.items()},
        "sparse_mpush_per_s_list_a_cell": {ppc: found[1] for ppc, found in sparse.items()},
        "slab_ms_a_step_120_ppc": 1e3 * step,
        **beside_old(),
        "old_commit": OLD,
        "processor": processor(),
        "load_at_the_end": os.getloadavg()[0],
    }


def warm(ppc: int, tile: int = 1, cells: int = CELLS) -> Simulation:
    """Electrons (u_th = .1) and protons in a periodic box."""
    rng, n, species = np.random.default_rng(0), cells * ppc, []
    count, offset = np.full(cells, ppc, np.int64), (rng.random(n) * 0.999).astype(np.float32)
    for name, charge, mass in (("electrons", -1.0, 1.0), ("protons", 1.0, 1836.0)):
        u = (rng.normal(size=(3, n)) * np.sqrt(TEMPERATURE / mass)).astype(np.float32)
        some = Particles(count, offset, u)
        species.append(Species.of(name, charge, mass, 0.2 / ppc, some, tile=tile))
    return Simulation(cells, DX, species, walls=None)


def seconds(simulation: Simulation, steps: int) -> float:
    start = time.process_time()
    simulation.run(steps)
    return time.process_time() - start


def taken_in_turn(variants: dict[int, Simulation]) -> dict[int, float]:
    """Millions of pushes a second of each, the best of several rounds."""
    best = dict.fromkeys(variants, 0.0)
    for simulation in variants.values():
        simulation.run(20)
    for _ in range(ROUNDS):
        for key, simulation in variants.items():
            best[key] = max(best[key], simulation.count() * 40 / seconds(simulation, 40) / 1e6)
    return best


def beside_old() -> dict[str, Any]:
    """75, 120 and 256 particles a cell: this code and the old commit's, process after process."""
    root = Path(__file__).parents[1]
    found: dict[str, dict[str, float]] = {"dense_mpush_per_s": {}, "dense_mpush_per_s_old": {}}
    with tempfile.TemporaryDirectory() as scratch:
        archive = subprocess.run(["git", "archive", OLD, "src"], cwd=root, capture_output=True, check=True)
        subprocess.run(["tar", "x", "-C", scratch], input=archive.stdout, check=True)
        places = {"dense_mpush_per_s": root / "src", "dense_mpush_per_s_old": Path(scratch) / "src"}
        for _ in range(3):
            for key, place in places.items():
                for ppc, rate in dense(place, root).items():
                    found[key][ppc] = max(found[key].get(ppc, 0.0), rate)
    return found


def dense(source: Path, root: Path) -> dict[str, float]:
    """The dense speeds of the package in a folder, in a process of its own."""
    env = os.environ | {"PYTHONPATH": f"{source}:{root}", "NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    code = "import json; from benchmarks.dense import speeds; print(json.dumps(speeds()))"
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


if __name__ == "__main__":
    main(hybrid)
