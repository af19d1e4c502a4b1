"""What a case puts into its box, said in a physicist's terms, and how particles are loaded from it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from lineshaft.engine import RequestError
from lineshaft.plasma import momenta
from lineshaft.plasma.pic.laser import Pulse
from lineshaft.plasma.pic.lists import Particles
from lineshaft.plasma.pic.simulation import Simulation
from lineshaft.plasma.pic.species import Species
from lineshaft.plasma.pic.walls import OPEN, Wall
from lineshaft.plasma.profiles import Profile
from lineshaft.plasma.refusal import FIELDS, check_box, check_population

Fields = Mapping[str, Callable[[np.ndarray], np.ndarray] | float]


@dataclass(frozen=True)
class Population:
    """One kind of particle and where it is.

    `ppc` particles give a cell the profile's highest density; thinner cells get fewer, down to half of that,
    then particles of half the weight, and so on through `classes` weights. Populations of one ppc start at
    the same places, so that a plasma of proportional profiles is neutral to the last particle. `even` spaces
    them evenly instead of at random. `kick` adds a function of x to the momentum along x.
    """

    name: str
    charge: float
    mass: float
    density: Profile
    temperature: float = 0.0  # m_e c^2
    drift: tuple[float, float, float] = (0.0, 0.0, 0.0)  # u = gamma v of the gas, in c
    kick: Callable[[np.ndarray], np.ndarray] | None = None
    ppc: int | None = None  # None: what the run asks for
    classes: int = 8
    even: bool = False

    def __post_init__(self) -> None:
        if callable(self.density) and not isinstance(self.density, Profile):
            object.__setattr__(self, "density", Profile(self.density))
        check_population(self)


@dataclass(frozen=True)
class Box:
    """A case, ready to be loaded. Lengths in c/omega0, times in 1/omega0, densities in n_c.

    `walls` None is a periodic box. `background`: None, "mirror" (an immobile copy of all charges, of the
    other sign) or the density of immobile charge as a profile. `initial` fields are waves in the box at the
    start (ey, ez, by, bz); `external` ones act on particles besides those of the box. `probes` are positions
    at which all fields are kept of every step.
    """

    length: float
    dx: float
    plasma: Sequence[Population]
    pulses: Sequence[Pulse] = ()
    walls: tuple[Wall, Wall] | None = OPEN
    background: Profile | str | None = None
    initial: Fields = field(default_factory=dict)
    external: Fields = field(default_factory=dict)
    probes: Sequence[float] = ()

    def __post_init__(self) -> None:
        check_box(self)

    @property
    def cells(self) -> int:
        return round(self.length / self.dx)

    @property
    def at_rest(self) -> bool:
        """Whether nothing but light from the left sets anything in motion, and only when it arrives."""
        drifts = any(any(one.drift) or one.kick is not None for one in self.plasma)
        lit = self.initial or self.external or any(pulse.side != "left" for pulse in self.pulses)
        return self.walls is not None and not drifts and not lit and self.neutral

    @property
    def neutral(self) -> bool:
        """Whether the densities, or a mirror of them, leave no charge anywhere."""
        if isinstance(self.background, str):
            return True
        x = (np.arange(self.cells) + 0.5) * self.dx
        densities = [one.charge * one.density(x) for one in self.plasma]
        if isinstance(self.background, Profile):
            densities.append(self.background(x))
        largest = max((float(np.abs(one).max()) for one in densities), default=0.0)
        return bool(np.abs(sum(densities)).max() <= 1e-6 * largest)

    def build(
        self, ppc: int, real: type, seed: int, quiet: bool = False, light_cone: bool = False
    ) -> Simulation:
        """The simulation at its start. `quiet` spaces all particles evenly."""
        if light_cone and not self.at_rest:
            raise RequestError(
                "light_cone=true keeps plasma still until light from the left arrives, but this case moves "
                "by itself (a periodic box, a drift or kick, charge, initial or external fields, or a pulse "
                "from the right): leave light_cone out"
            )
        species = [one for p in self.plasma for one in self.load(p, ppc, real, seed, quiet or p.even)]
        background = None
        if self.background is not None:
            alone = Simulation(self.cells, self.dx, species, walls=OPEN)
            background = self.immobile(alone)
        found = Simulation(
            self.cells, self.dx, species, self.pulses, self.walls, background, light_cone, seed
        )
        self.set_fields(found)
        return found

    def immobile(self, alone: Simulation) -> np.ndarray:
        """Density of immobile charge on the nodes."""
        if isinstance(self.background, Profile):
            x = np.arange(self.cells + 1) * self.dx
            density = self.background(x)
        else:
            density = -alone.charge_density()
        if self.walls is None:
            density = density.copy()
            if self.background == "mirror":
                density[0] = density[-1] = density[0] + density[-1]
            else:
                density[-1] = density[0]
        return density

    def set_fields(self, simulation: Simulation) -> None:
        """Add initial waves and external fields."""
        from lineshaft.plasma.pic import fields

        x = np.arange(self.cells + 1) * self.dx
        value = {name: sampled(self.initial.get(name, 0.0), x) for name in FIELDS}
        grid = simulation.fields
        grid.right_y[:], grid.left_y[:] = value["ey"] + value["bz"], value["ey"] - value["bz"]
        grid.right_z[:], grid.left_z[:] = value["ez"] - value["by"], value["ez"] + value["by"]
        for k, name in enumerate(FIELDS):
            grid.external[k] = sampled(self.external.get(name, 0.0), x)
        fields.refresh(grid, simulation.periodic, grid.along.size)

    def load(self, one: Population, ppc: int, real: type, seed: int, even: bool) -> list[Species]:
        """A population's classes of weight, the heaviest first."""
        ppc = one.ppc or ppc
        density = one.density((np.arange(self.cells) + 0.5) * self.dx)
        found, full = [], float(density.max()) / ppc
        rng = np.random.default_rng([seed, *one.name.encode()])
        for k, (weight, count) in enumerate(classes_of(density, full, ppc, one.classes)):
            n = int(count.sum())
            if n == 0:
                continue
            places = np.random.default_rng([seed, k])  # shared by all populations
            offset = spaced(count) if even else places.random(n)
            u = momenta.drifting(rng, n, one.temperature / one.mass, one.drift)
            if one.kick is not None:
                u[0] += one.kick((np.repeat(np.arange(self.cells), count) + offset) * self.dx)
            offset = np.minimum(offset, 1 - 2.0**-24).astype(real)
            particles = Particles(count, offset, u.astype(real))
            found.append(Species.of(one.name, one.charge, one.mass, weight, particles))
        return found


def classes_of(density: np.ndarray, full: float, ppc: int, classes: int) -> list[tuple[float, np.ndarray]]:
    """(weight, particles in each cell) of each class; what rounding leaves over goes to the next cell."""
    ratio = np.divide(density, full * ppc, where=density > 0, out=np.zeros_like(density))
    level = np.where(ratio > 0, np.floor(-np.log2(np.maximum(ratio, 1e-300)) + 1e-9), classes)
    found = []
    for k in range(classes):
        weight = full * 2.0**-k
        mine = (level == k) if k < classes - 1 else (level >= k) & (ratio > 0)
        running = np.round(np.cumsum(np.where(mine, density / weight, 0.0)) * (1 - 1e-12) + 1e-6)
        found.append((weight, np.diff(running, prepend=0).astype(np.int64)))
    return found


def spaced(count: np.ndarray) -> np.ndarray:
    """Evenly spaced offsets in each cell."""
    rank = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return (rank + 0.5) / np.repeat(count, count)


def sampled(value: Callable[[np.ndarray], np.ndarray] | float, x: np.ndarray) -> np.ndarray:
    """A constant or a function of position, on the nodes."""
    found = np.broadcast_to(np.asarray(value(x) if callable(value) else value, float), x.shape)
    if not np.isfinite(found).all():
        raise ValueError("a field of the case is not finite everywhere in the box")
    return found
