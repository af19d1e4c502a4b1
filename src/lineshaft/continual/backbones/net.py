"""What every backbone offers: features of a body, and one linear head over all classes of the stream."""

from torch import Tensor, nn


class Net(nn.Module):
    """A body that maps inputs to features [n, width] and a head that maps features to logits [n, classes]."""

    def __init__(self, body: nn.Module, width: int, classes: int) -> None:
        super().__init__()
        self.body = body
        self.head = nn.Linear(width, classes)

    def features(self, x: Tensor) -> Tensor:
        return self.body(x)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))
