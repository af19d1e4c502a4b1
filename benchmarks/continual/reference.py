"""The peer: a training loop as published continual-learning code has it, written here for the comparison.

    python benchmarks/continual/reference.py cifar.pt [epochs] [rows a class] > reference.jsonl

Each image is a Pillow image in a data set; worker processes crop, mirror, jitter (hue too) and grey it, one
at a time; loaders draw two views and the plain image even where one view is trained on, as published code
does; replay transforms each buffered row in the main process. float32 with TF32, contiguous memory, a loss
read back at each step. Against it the loop of this package with the same recipe (`augment=crop_colour`,
`two_views`), the same network, batch and rate. Both learn the same task and are judged by the same kNN, so
that speed is not bought with accuracy.
"""

import json
import random
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageEnhance, ImageOps
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from lineshaft.continual.augment import Augment, CropColour, TwoViews
from lineshaft.continual.backbones.net import Net
from lineshaft.continual.backbones.resnet import Resnet18
from lineshaft.continual.evaluate.evaluation import embed
from lineshaft.continual.evaluate.knn import knn
from lineshaft.continual.images import Images
from lineshaft.continual.loop import Loop
from lineshaft.continual.methods.der import Der
from lineshaft.continual.methods.method import Method
from lineshaft.continual.objectives.cross_entropy import CrossEntropy
from lineshaft.continual.objectives.objective import Objective
from lineshaft.continual.objectives.simsiam import SimSiam, similarity
from lineshaft.continual.phases import Phase
from lineshaft.continual.streams.split import build, by_class
from lineshaft.continual.streams.stream import Stream

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
CHANNELS, BATCH, LR = (64 if DEVICE == "cuda" else 4), 256, 0.03
KINDS = ("supervised", "simsiam", "replay")
MEAN = torch.tensor([0.4914, 0.4822, 0.4465])[:, None, None]
STD = torch.tensor([0.2470, 0.2435, 0.2616])[:, None, None]


def cropped(image: Image.Image) -> Image.Image:
    padded, (x, y) = ImageOps.expand(image, 4), (random.randint(0, 8), random.randint(0, 8))
    return padded.crop((x, y, x + 32, y + 32))


def resized(image: Image.Image) -> Image.Image:
    """A random fifth to all of the area, sides between 3:4 and 4:3, resized back."""
    area, shape = 1024 * random.uniform(0.2, 1), np.exp(random.uniform(-0.2877, 0.2877))
    w, h = (max(1, min(32, round(float(v)))) for v in ((area * shape) ** 0.5, (area / shape) ** 0.5))
    x, y = random.randint(0, 32 - w), random.randint(0, 32 - h)
    return image.resize((32, 32), Image.Resampling.BICUBIC, box=(x, y, x + w, y + h))


def coloured(image: Image.Image) -> Image.Image:
    if random.random() < 0.5:
        image = ImageOps.mirror(image)
    if random.random() < 0.8:
        for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
            image = enhance(image).enhance(random.uniform(0.6, 1.4))
        hue, saturation, value = image.convert("HSV").split()
        turn = random.randint(-25, 25)
        image = Image.merge("HSV", (hue.point(lambda v: (v + turn) % 256), saturation, value)).convert("RGB")
    return image.convert("L").convert("RGB") if random.random() < 0.2 else image


def tensor(image: Image.Image) -> Tensor:
    pixels = torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1).float() / 255
    return (pixels - MEAN) / STD


class Rows(Dataset[tuple[Tensor, Tensor, Tensor, int, int]]):
    """Two views and the plain image of each row, as published loaders return them."""

    def __init__(self, pixels: np.ndarray, labels: list[int], kind: str) -> None:
        self.pixels, self.labels, self.first = pixels, labels, resized if kind == "simsiam" else cropped

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, row: int) -> tuple[Tensor, Tensor, Tensor, int, int]:
        image = Image.fromarray(self.pixels[row])
        views = [tensor(coloured(self.first(image))) for _ in range(2)]
        return views[0], views[1], tensor(image), self.labels[row], row


class Reference:
    """The published loop."""

    def __init__(self, data: Stream, kind: str, workers: int) -> None:
        self.kind, self.objective = kind, objective(kind)
        self.net = network(data, self.objective).to(DEVICE)
        rows = data.tasks[0].train
        self.pixels, self.labels = data.store.x[rows].cpu().numpy(), data.store.y[rows].tolist()
        more: dict[str, Any] = {"num_workers": workers, "persistent_workers": workers > 0}
        self.loader = DataLoader(
            Rows(self.pixels, self.labels, kind), BATCH, shuffle=True, drop_last=True, pin_memory=True, **more
        )
        self.optimiser = torch.optim.SGD(self.net.parameters(), LR, momentum=0.9, weight_decay=5e-4)
        self.buffer: list[tuple[Image.Image, Tensor]] = []
        self.offered = 0

    def epoch(self) -> int:
        """Rows seen."""
        self.net.train()
        seen = 0
        for first, second, _, y, rows in self.loader:
            loss = self.loss(first.to(DEVICE), second.to(DEVICE), y.to(DEVICE), rows.tolist())
            self.optimiser.zero_grad()
            loss.backward()
            self.optimiser.step()
            loss.item()
            seen += len(y)
        return seen

    def loss(self, first: Tensor, second: Tensor, y: Tensor, rows: list[int]) -> Tensor:
        if self.kind == "simsiam":
            z = [self.net.projector(self.net.features(x)) for x in (first, second)]
            p = [self.net.predictor(each) for each in z]
            return -(similarity(p[0], z[1]) + similarity(p[1], z[0])) / 2
        logits = self.net(first)
        loss = nn.functional.cross_entropy(logits, y)
        if self.kind == "replay":
            loss = loss + self.replayed()
            self.remember(logits.detach(), rows)
        return loss

    def replayed(self) -> Tensor:
        """Kept images, transformed one by one here, against the outputs they had."""
        if len(self.buffer) < 200:
            return torch.zeros((), device=DEVICE)
        drawn = random.choices(self.buffer, k=BATCH)
        x = torch.stack([tensor(coloured(cropped(image))) for image, _ in drawn]).to(DEVICE)
        return 0.3 * nn.functional.mse_loss(self.net(x), torch.stack([z for _, z in drawn]))

    def remember(self, logits: Tensor, rows: list[int]) -> None:
        """Reservoir sampling."""
        for row, z in zip(rows, logits):
            self.offered += 1
            place = len(self.buffer) if len(self.buffer) < 200 else random.randrange(self.offered)
            kept = (Image.fromarray(self.pixels[row]), z)
            if place == len(self.buffer):
                self.buffer.append(kept)
            elif place < 200:
                self.buffer[place] = kept


class Ours:
    """The loop of this package."""

    def __init__(self, data: Stream, kind: str) -> None:
        self.objective = objective(kind)
        methods: list[Method] = [Der(alpha=0.3)] if kind == "replay" else []
        augment: Augment = TwoViews() if kind == "simsiam" else CropColour()
        net = network(data, self.objective)
        self.loop = Loop(net, data, self.objective, methods, augment=augment, batch=BATCH, seed=0)
        self.loop.begin(0)
        self.loop.start(Phase(1000, lr=LR))
        self.net = self.loop.net

    def epoch(self) -> int:
        self.loop.epoch(0)
        return len(self.loop.stream.tasks[0].train)


def objective(kind: str) -> Objective:
    return SimSiam() if kind == "simsiam" else CrossEntropy()


def network(data: Stream, what: Objective) -> Net:
    torch.manual_seed(0)
    net = Resnet18(channels=CHANNELS).build(data)
    what.attach(net, data)
    return net


def measured(loop: Reference | Ours, data: Stream, epochs: int) -> dict[str, float]:
    """Rows a second over whole epochs after the first, and kNN of the task after all of them."""
    seen = [loop.epoch()]
    start = waited()
    for _ in range(epochs - 1):
        seen.append(loop.epoch())
    seconds = waited() - start
    features, task = embed(loop.net, data.store), data.tasks[0]
    accuracy = knn(features, data.store.y, task.train, task.test, 200)
    return {"images_per_s": sum(seen[1:]) / seconds, "epochs": epochs, "test_knn": accuracy}


def waited() -> float:
    if DEVICE == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def table(data: Stream, epochs: int, workers: tuple[int, ...]) -> Iterator[dict[str, Any]]:
    for kind in KINDS:
        yield {"kind": kind, "loop": "ours", **measured(Ours(data, kind), data, epochs)}
        for count in workers:
            found = measured(Reference(data, kind, count), data, epochs)
            yield {"kind": kind, "loop": "reference", "workers": count, **found}


def main() -> None:
    """argv: a file with the images (torch.save of vars(Images)), epochs, and rows a class (none for all)."""
    images = Images(**torch.load(sys.argv[1], weights_only=False))
    epochs = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    size = int(sys.argv[3]) if len(sys.argv) > 3 else None
    groups, titles = by_class(images, 2, list(range(10)))
    data = build(images, groups, titles, seed=0, device=DEVICE, train_size=size, test_size=size)
    chip = torch.cuda.get_device_name() if DEVICE == "cuda" else "cpu"
    print(json.dumps({"device": chip, "torch": torch.__version__, "batch": BATCH}), flush=True)
    for line in table(data, epochs, (4, 16) if DEVICE == "cuda" else (1,)):
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
