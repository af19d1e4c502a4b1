"""What an experiment hands over to be stored, checked when it is written: states of checkpoints, and metrics.

A checkpoint is read with `torch.load(weights_only=True)`, which refuses much that `torch.save` takes. numpy
scalars become Python's own, numpy arrays travel as tensors and come back as arrays.
"""

import collections
from collections.abc import Mapping
from typing import Any

PLAIN = (bool, int, float, complex, str, bytes, type(None))
ARRAY = "\0numpy"
WAY_OUT = (
    "a checkpoint takes numbers, text, None, lists, tuples, dictionaries, sets, numpy arrays and tensors; "
    "store what rebuilds it, such as a state_dict or its parameters"
)


class StateError(TypeError):
    """A state that could not be read again; the message names where in it, and the way out."""


def storable(state: Any, path: str = "state") -> Any:
    """The state as it is stored; raises StateError where a part of it would be refused when read."""
    import numpy as np
    import torch

    if isinstance(state, np.generic):
        return storable(state.item(), path)
    if isinstance(state, np.ndarray):
        return packed(state, path)
    if type(state) in PLAIN or type(state) in (torch.Tensor, torch.nn.Parameter, torch.Size):
        return state
    if type(state) in (torch.dtype, torch.device):
        return state
    if type(state) in (dict, collections.OrderedDict):
        pairs = [
            (storable(key, f"key {key!r:.40} of {path}"), storable(value, f"{path}[{key!r:.40}]"))
            for key, value in state.items()
        ]
        return like(state, pairs)
    if type(state) in (list, tuple):
        return type(state)(storable(value, f"{path}[{i}]") for i, value in enumerate(state))
    if type(state) is set:
        return {storable(value, f"an element of {path}") for value in state}
    if is_readable(state):
        return state
    kind = f"{type(state).__module__}.{type(state).__qualname__}".removeprefix("builtins.")
    raise StateError(f"run.checkpoint: {path} is of type {kind}, which cannot be read again; {WAY_OUT}")


def like(mapping: Any, pairs: list[tuple[Any, Any]]) -> Any:
    """A dictionary of the same kind; a module's state_dict carries the versions of its parts along."""
    found = type(mapping)(pairs)
    if isinstance(found, collections.OrderedDict):
        found.__dict__.update(mapping.__dict__)
    return found


def packed(array: Any, path: str) -> dict[str, Any]:
    """An array as a tensor of its bytes, so that every dtype of numbers, text and times comes back."""
    import numpy as np
    import torch

    if array.dtype.hasobject:
        raise StateError(f"run.checkpoint: {path} is a numpy array of Python objects; {WAY_OUT}")
    raw = np.frombuffer(np.ascontiguousarray(array).tobytes(), dtype=np.uint8).copy()
    kind = array.dtype.str if array.dtype.names is None else array.dtype.descr
    return {ARRAY: torch.from_numpy(raw), "dtype": kind, "shape": tuple(array.shape)}


def restored(state: Any) -> Any:
    """The state as it was handed over, arrays included."""
    import numpy as np

    if type(state) is dict and ARRAY in state:
        kind = state["dtype"]
        raw = state[ARRAY].numpy().tobytes()
        return np.frombuffer(raw, dtype=np.dtype(kind)).reshape(state["shape"]).copy()
    if type(state) in (dict, collections.OrderedDict):
        return like(state, [(key, restored(value)) for key, value in state.items()])
    if type(state) in (list, tuple):
        return type(state)(restored(value) for value in state)
    return state


def is_readable(value: Any) -> bool:
    """Whether torch itself reads a value of a rarer type again: asked by doing it."""
    import io

    import torch

    file = io.BytesIO()
    try:
        torch.save(value, file)
        file.seek(0)
        torch.load(file, weights_only=True, map_location="cpu")
    except Exception:
        return False
    return True


def numbers(values: Mapping[str, Any], where: str) -> dict[str, float]:
    """The metrics as numbers; raises ValueError naming the one that is none."""
    found = {}
    for name, value in values.items():
        try:
            if isinstance(value, str):
                raise TypeError
            found[str(name)] = float(value)
        except (TypeError, ValueError, RuntimeError):
            kind = type(value).__name__
            raise ValueError(
                f"{where}: metric {str(name)!r} is {value!r:.60} ({kind}), not a number; "
                "arrays go to run.array, nested values under names of their own"
            ) from None
    return found


def final_metrics(values: Any) -> dict[str, float]:
    """What `run` of an experiment returned."""
    if not isinstance(values, Mapping):
        raise ValueError(f"run returned {values!r:.60}, not a dictionary of metrics and numbers")
    return numbers(values, "the result of run")
