"""`python -m benchmarks.phases FILE.png`: the ions' phase space and density, hybrid A beside all particles.

Both at 30 particles a cell on the benchmark slab, one seed, after 280/omega0.
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from lineshaft.plasma.gather import gathered
from lineshaft.plasma.hybrid.solvers import HybridA, Particles, Solver
from lineshaft.plasma.pic.compile import use_threads
from lineshaft.plasma.pic.simulation import Simulation
from lineshaft.plasma.tables import TARGET

PPC, STEPS = 30, 5600
LEAST = 1e-3  # ions per area below which a bin stays white; one particle stands for .033


def ended(solver: Solver) -> Simulation:
    found = solver.build(TARGET.contents(), PPC, np.float32, 0, True, True)
    found.run(STEPS)
    return found


def draw(path: Path) -> None:
    """Two columns: ions in bins of .68 c/omega0 and .001 c above, their density below."""
    figure = Figure(figsize=(10, 6))
    axes = figure.subplots(2, 2, sharex=True, sharey="row", height_ratios=(2, 1))
    solvers = {"all particles": Particles(), "hybrid A": HybridA(coarse_ppc=8)}
    for column, (name, solver) in enumerate(solvers.items()):
        simulation = ended(solver)
        ions, edges = gathered(simulation, "ions"), (np.linspace(0, 272, 401), np.linspace(-0.08, 0.16, 241))
        held = np.histogram2d(ions.position, ions.momentum[0], edges, weights=ions.weight)[0].T
        shown = np.where(held > LEAST, held, np.nan)
        axes[0, column].pcolormesh(*edges, shown, norm=LogNorm(LEAST, 20.0))
        axes[0, column].set(title=name, ylabel="ions' $u_x$ (c)")
        places = (np.arange(simulation.cells) + 0.5) * simulation.dx
        axes[1, column].plot(places, simulation.density("ions"), linewidth=0.6)
        axes[1, column].set(xlabel="x (c/$\\omega_0$)", ylabel="$n_i$ ($n_c$)", ylim=(0, 80))
        if isinstance(solver, HybridA):
            for axis in axes[:, column]:
                axis.axvline(simulation.window.edge * simulation.dx, color="C3", linestyle=":")
    figure.tight_layout()
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    use_threads(1)
    draw(Path(sys.argv[1]))
