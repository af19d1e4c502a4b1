"""Every objective of this package, for the union of a configuration."""

from lineshaft.continual.objectives.barlow_twins import BarlowTwins
from lineshaft.continual.objectives.cross_entropy import CrossEntropy
from lineshaft.continual.objectives.simsiam import SimSiam

AnyObjective = CrossEntropy | SimSiam | BarlowTwins
