"""Trained nets in one file that needs nothing else: safetensors, with the configuration as metadata."""

import json
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


def described(path: Path) -> dict[str, Any]:
    """The configuration of a file of `write`; ValueError in one line where it is no such file."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), framework="pt") as file:
            metadata, parts = file.metadata() or {}, set(file.keys())
        config = json.loads(metadata["config"])
        if not {"target", "method"} <= set(config) or not any(
            part.startswith("fluid.net.") for part in parts
        ):
            raise KeyError("method")
    except (SafetensorError, OSError, KeyError, TypeError, ValueError):
        raise ValueError(
            f"{path} holds no solver: give a model.safetensors that plasma.train wrote"
        ) from None
    return dict(config)


def check_hybrid(path: Path) -> None:
    """ValueError where a file holds no hybrid."""
    method = described(path)["method"]["name"]
    if method != "lhpc":
        raise ValueError(f"{path} holds method={method}, which carries no particles: give one of method=lhpc")


def read(path: Path) -> tuple[dict[str, Any], dict[str, dict[str, Tensor]]]:
    """The configuration and the nested weights."""
    from safetensors import safe_open

    config, parts = described(path), dict[str, dict[str, Tensor]]()
    with safe_open(str(path), framework="pt") as file:
        for key in file.keys():  # noqa: SIM118
            part, name = key.split(".", 1)
            parts.setdefault(part, {})[name] = file.get_tensor(key)
    return config, parts
