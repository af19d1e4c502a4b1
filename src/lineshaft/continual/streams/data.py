"""What every choice of data offers: it opens itself into a stream. Yours derives from one of these."""

from typing import Any, Literal

from pydantic import Field

from lineshaft.continual.images import Images
from lineshaft.continual.streams.split import build, by_class, by_domain, shuffled_order
from lineshaft.continual.streams.stream import Stream
from lineshaft.engine import Part, Run

Order = Literal["seed", "natural"] | tuple[int, ...]


class Data(Part):
    """Data of any kind. `load` reads rows, labels and names; `open` makes tasks of them."""

    train_size: int | None = Field(
        None, ge=2, description="training rows a class and task, none for all; a tenth validates"
    )
    test_size: int | None = Field(None, ge=1, description="test rows a class and task, none for all")
    labels: Literal["true", "shuffled"] = Field(
        "true",
        description="shuffled: permute the training labels within each task; evaluation keeps the true ones",
    )
    order: Order = Field(
        "seed", description="of classes or domains: drawn by the data's seed, natural, or listed as [2,0,1]"
    )

    def load(self, run: Run) -> Images:
        """All rows on the CPU, the training part first."""
        raise NotImplementedError

    def open(self, run: Run, seed: int) -> Stream:
        raise NotImplementedError

    def ordered(self, count: int, seed: int) -> list[int]:
        if self.order == "seed":
            return shuffled_order(count, seed)
        return list(range(count)) if self.order == "natural" else list(self.order)

    def sizes(self) -> dict[str, Any]:
        shuffled = self.labels == "shuffled"
        return {"train_size": self.train_size, "test_size": self.test_size, "shuffled": shuffled}


class ClassData(Data):
    """Every task brings new classes."""

    classes_per_task: int | tuple[int, ...] = Field(
        2, description="new classes of each task; the last may have fewer, or one number a task"
    )

    def open(self, run: Run, seed: int) -> Stream:
        images = self.load(run)
        order = self.ordered(len(images.class_names), seed)
        groups, titles = by_class(images, self.classes_per_task, order)
        return build(images, groups, titles, seed=seed, device=run.device, **self.sizes())


class DomainData(Data):
    """Every task is a domain (a region, a scale, a source, a product) with the same classes."""

    def open(self, run: Run, seed: int) -> Stream:
        images = self.load(run)
        groups, titles = by_domain(images, self.ordered(len(images.domain_names), seed))
        return build(images, groups, titles, seed=seed, device=run.device, **self.sizes())
