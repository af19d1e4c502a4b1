"""Trained nets in one file that needs nothing else: safetensors, with the configuration as metadata."""

from pathlib import Path
from typing import Any

from torch import Tensor


def write(path: Path, config: str, parts: dict[str, dict[str, Tensor]]) -> None:
    """Save nested weights; `config` is the JSON that rebuilds the nets."""
    from safetensors.torch import save_file

    flat = {
        f"{part}.{name}": value.contiguous().cpu()
        for part, values in parts.items()
        for name, value in values.items()
    }
    save_file(flat, str(path), metadata={"config": config})


def read(path: Path) -> tuple[str, dict[str, dict[str, Tensor]]]:
    """The configuration's JSON and the nested weights."""
    from safetensors import safe_open

    parts: dict[str, dict[str, Any]] = {}
    with safe_open(str(path), framework="pt") as file:
        config = file.metadata()["config"]
        for key in file.keys():  # noqa: SIM118
            part, name = key.split(".", 1)
            parts.setdefault(part, {})[name] = file.get_tensor(key)
    return config, parts
