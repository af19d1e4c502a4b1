"""Named arrays in one file, in the safetensors format: a header of names, types and shapes, then the bytes.

Nothing but arrays and one JSON text can be in such a file, so that loading it executes nothing. Arrays are
mapped into memory, not read: several processes that serve one model share its pages.

    8 bytes: length of the header, little endian; header: JSON; then the arrays, largest element type first,
    so that every one of them is aligned.
"""

import json
import os
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from lineshaft.engine import RequestError

_TYPES = {
    "F64": np.float64,
    "F32": np.float32,
    "F16": np.float16,
    "I64": np.int64,
    "I32": np.int32,
    "I16": np.int16,
    "I8": np.int8,
    "U8": np.uint8,
    "BOOL": np.bool_,
}
_NAMES = {np.dtype(kind): name for name, kind in _TYPES.items()}


def write(path: Path, arrays: Mapping[str, np.ndarray], about: Mapping[str, Any]) -> None:
    """Write all arrays and a JSON description; the file appears whole or not at all."""
    order = sorted(arrays, key=lambda name: (-arrays[name].dtype.itemsize, name))
    header: dict[str, Any] = {"__metadata__": {"about": json.dumps(about)}}
    end = 0
    for name in order:
        array = arrays[name]
        start, end = end, end + array.nbytes
        kind = _NAMES[array.dtype]
        header[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": [start, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    temporary = path.with_name(f".{path.name}.part")
    with temporary.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for name in order:
            file.write(np.ascontiguousarray(arrays[name]).data)
    os.replace(temporary, path)


def read(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The arrays, mapped read-only, and the description. Files of other programs have no description."""
    try:
        whole = np.memmap(path, np.uint8, mode="r")
        size = int.from_bytes(whole[:8].tobytes(), "little")
        header = json.loads(whole[8 : 8 + size].tobytes())
        about = json.loads(header.pop("__metadata__", {}).get("about", "{}"))
        arrays = {name: _view(whole[8 + size :], entry) for name, entry in header.items()}
    except FileNotFoundError:
        raise RequestError(f"{path}: there is no such model file") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RequestError(f"{path}: not a file of arrays (safetensors): {error}") from None
    return arrays, about


def _view(data: np.ndarray, entry: dict[str, Any]) -> np.ndarray:
    start, end = entry["data_offsets"]
    if end > len(data):
        raise ValueError("the file is shorter than its header says")
    return data[start:end].view(_TYPES[entry["dtype"]]).reshape(entry["shape"])


def pack(texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Texts -> their UTF-8 bytes end to end, and (texts + 1,) where each begins."""
    encoded = [text.encode() for text in texts]
    ends = np.cumsum([0, *(len(text) for text in encoded)], dtype=np.int64)
    return np.frombuffer(b"".join(encoded), np.uint8), ends


def unpack(data: np.ndarray, ends: np.ndarray) -> list[str]:
    """What `pack` packed."""
    whole, cuts = data.tobytes(), ends.tolist()
    return [whole[a:b].decode() for a, b in pairwise(cuts)]
