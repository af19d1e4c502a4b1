"""What self-supervised objectives with two views of an image share: a projector behind the features.

LP-FT's head is named explicitly, because published code disagrees with itself about it: `predictor` is what
the authors' code trains in the probing phase, `projector+predictor` everything behind the features.
"""

from torch import Tensor, nn

from lineshaft.continual.backbones.net import Net
from lineshaft.continual.objectives.objective import Objective
from lineshaft.continual.paramset import ParamSet

PROJECTOR = ParamSet("projector", r"projector\.")
PREDICTOR = ParamSet("predictor", r"predictor\.")


class Siamese(Objective):
    """Two views of each sample; outputs are projections [n, width]."""

    views = 2

    def outputs(self, net: Net, x: Tensor, task: int | None) -> Tensor:
        projection: Tensor = net.projector(net.embed(x, task)).float()
        return projection


def projector(inputs: int, hidden: int, outputs: int, affine: bool) -> nn.Sequential:
    """Linear, BatchNorm, ReLU, Linear, BatchNorm (the last one without scale and shift in SimSiam)."""
    return nn.Sequential(
        nn.Linear(inputs, hidden, bias=False),
        nn.BatchNorm1d(hidden),
        nn.ReLU(inplace=True),
        nn.Linear(hidden, outputs, bias=False),
        nn.BatchNorm1d(outputs, affine=affine),
    )
