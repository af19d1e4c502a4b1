"""Several ranks of one run on this machine, as `torchrun` starts them, and faster."""

import json
import multiprocessing
import os
import socket
from pathlib import Path
from typing import Any

from command import PRELOAD

from lineshaft.engine.launch.child import without_main


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def world(size: int, address: str, values: dict[str, Any], runs: Path, every: float = 0) -> list[int]:
    """Compute a run by `size` processes; returns the exit codes of `python -m lineshaft.engine`."""
    place = {"WORLD_SIZE": str(size), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    with without_main():
        processes = [
            context.Process(
                target=rank, args=(place | {"RANK": str(r)}, address, json.dumps(values), runs, every)
            )
            for r in range(size)
        ]
        for each in processes:
            each.start()
    for each in processes:
        each.join(60)
        assert each.exitcode is not None, "a rank hangs"
    return [each.exitcode for each in processes]


def rank(place: dict[str, str], address: str, values: str, runs: Path, every: float) -> None:
    from lineshaft.engine import Options
    from lineshaft.engine.__main__ import EXIT
    from lineshaft.engine.run.execute import execute
    from lineshaft.engine.spec.experiment import find

    os.environ.update(place)
    config = find(address).config.model_validate_json(values)
    _, state = execute(address, config, runs, Options(device="cpu", checkpoint_every=every))
    os._exit(EXIT[state])
