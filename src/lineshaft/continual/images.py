"""A data set in memory. What a loader hands over is brought into one form here, or refused with a way out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lineshaft.engine import RequestError

Statistics = tuple[tuple[float, ...], tuple[float, ...]]
FEW_CHANNELS = (1, 3, 4)


@dataclass(frozen=True)
class Images:
    """One data set, the rows of its training part first.

    x: uint8 [n, height, width, channels] pixels (grey may lack channels); int64 [n, length] tokens; or [n,
    width] vectors, which become float32. y: [n] numbers of classes, or their names. trained: how many of the
    leading rows may be trained on, the others are the test part. mean, std: a channel's, for pixels scaled to
    0..1; measured on the training part where they are not given. domains: int64 [n] or none. Arrays of numpy
    and lists become tensors.
    """

    name: str
    x: Tensor
    y: Tensor
    trained: int
    class_names: tuple[str, ...]
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    domains: Tensor | None = None
    domain_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        x = inputs(self.name, tensor(self.name, "x", self.x))
        self._set(x=x, class_names=unique(self.name, "class_names", self.class_names))
        self._set(y=numbers(self.name, "y", self.y, self.class_names, len(x)))
        if not 0 <= self.trained <= len(x):
            raise RequestError(f"{self.name}: trained={self.trained}, there are {len(x)} rows")
        if self.domains is not None:
            self._set(domain_names=unique(self.name, "domain_names", self.domain_names))
            self._set(domains=numbers(self.name, "domains", self.domains, self.domain_names, len(x)))
            inside(self.name, "domain", self.domains, self.domain_names)
        if x.dtype == torch.uint8:
            self._set(**standard_statistics(self))

    def _set(self, **values: Any) -> None:
        for key, value in values.items():
            object.__setattr__(self, key, value)


def inputs(name: str, x: Tensor) -> Tensor:
    """Rows as uint8 pixels [n, height, width, channels], int64 tokens or float32 vectors [n, width]."""
    if x.dtype == torch.uint8:
        return pixels(name, x)
    if x.ndim != 2:
        raise RequestError(
            f"{name}: x is {x.dtype} of shape {list(x.shape)}; pixels must be uint8 [n, height, width, "
            "channels]: (x * 255).round().to(torch.uint8), vectors and tokens [n, width]"
        )
    if x.dtype == torch.int64:
        return x
    if not (x.is_floating_point() or x.dtype == torch.bool):
        raise RequestError(f"{name}: x is {x.dtype}; use x.float() for vectors, x.long() for tokens")
    x = x.float()
    if not (finite := torch.isfinite(x).all(1)).all():
        row = int((~finite).nonzero()[0])
        raise RequestError(f"{name}: row {row} of x is not finite; drop the row or fill its gaps")
    return x


def pixels(name: str, x: Tensor) -> Tensor:
    if x.ndim == 3:  # grey
        x = x[..., None]
    if x.ndim != 4:
        raise RequestError(f"{name}: pixels of shape {list(x.shape)}; use [n, height, width, channels]")
    if x.shape[1] in FEW_CHANNELS and x.shape[3] not in FEW_CHANNELS:
        raise RequestError(
            f"{name}: pixels of shape {list(x.shape)} have their channels first; use x.permute(0, 2, 3, 1)"
        )
    return x


def tensor(name: str, key: str, values: Any) -> Tensor:
    try:
        return torch.as_tensor(values)
    except (TypeError, ValueError, RuntimeError) as error:
        reason = str(error).split(". ")[0]
        raise RequestError(
            f"{name}: {key} cannot become a tensor ({reason}); use numbers, and for sentences "
            "encode(sentences, length) from lineshaft.continual.backbones.words"
        ) from None


def numbers(name: str, key: str, values: Any, names: Sequence[str], rows: int) -> Tensor:
    """int64 [n], from numbers or from names."""
    if not isinstance(values, Tensor):
        found = np.asarray(values)
        values = positions(name, key, found.tolist(), names) if found.dtype.kind in "USO" else found
    values = tensor(name, key, values)
    if values.shape != (rows,):
        raise RequestError(f"{name}: {key} has shape {list(values.shape)}, x has {rows} rows; give one a row")
    whole: Tensor = values.long()
    if not torch.equal(whole.to(values.dtype), values):
        raise RequestError(f"{name}: {key} holds numbers that are not whole; use 0, 1, ...")
    return whole


def positions(name: str, key: str, words: Sequence[Any], names: Sequence[str]) -> list[int]:
    place = {word: number for number, word in enumerate(names)}
    for row, word in enumerate(words):
        if word not in place:
            raise RequestError(f"{name}: row {row} of {key} is {word!r}, not one of {', '.join(names)}")
    return [place[word] for word in words]


def unique(name: str, key: str, words: Sequence[str]) -> tuple[str, ...]:
    words = tuple(str(word) for word in words)
    if twice := next((word for word in words if words.count(word) > 1), None):
        raise RequestError(f"{name}: {key} holds {twice!r} twice; name each once")
    return words


def inside(name: str, what: str, values: Tensor, names: Sequence[str]) -> None:
    """The numbers are those of names, or an error that gives the first row where they are not."""
    wrong = (values < 0) | (values >= len(names))
    if wrong.any():
        row = int(wrong.nonzero()[0])
        raise RequestError(
            f"{name}: row {row} has {what} {int(values[row])}, there are names for 0 to {len(names) - 1}; "
            "add its name or drop the row"
        )


def standard_statistics(images: Images) -> dict[str, tuple[float, ...]]:
    """Mean and standard deviation, measured where they are not given."""
    channels = images.x.shape[-1]
    if not images.mean or not images.std:
        mean, std = channel_statistics(images.x[: images.trained or len(images.x)])
        return {"mean": images.mean or mean, "std": images.std or std}
    if not len(images.mean) == len(images.std) == channels:
        raise RequestError(
            f"{images.name}: {len(images.mean)} means and {len(images.std)} deviations for {channels} "
            "channels; give one a channel, or none to have them measured"
        )
    return {}


def channel_statistics(x: Tensor) -> Statistics:
    """Mean and standard deviation of each channel of uint8 images [n, height, width, channels], in 0..1."""
    counts = [x[..., c].flatten().bincount(minlength=256).double() for c in range(x.shape[-1])]
    shades = torch.arange(256, dtype=torch.float64) / 255
    means = [float((n * shades).sum() / n.sum().clamp(min=1)) for n in counts]
    stds = [
        float(((n * (shades - m) ** 2).sum() / n.sum().clamp(min=1)).sqrt().clamp(min=1e-3))
        for n, m in zip(counts, means)
    ]
    return tuple(means), tuple(stds)
