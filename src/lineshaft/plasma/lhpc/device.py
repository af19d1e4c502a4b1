"""How torch computes here."""

import torch


def prepare(device: str) -> None:
    """Nets multiply in tf32 where there is such a thing; on a CPU one thread does it all.

    The tensors of a step are small: threads that wait for each other at every one of its hundreds of
    operations were seen to take fifty times as long on a busy machine.
    """
    torch.set_float32_matmul_precision("high")
    if torch.device(device).type == "cpu":
        torch.set_num_threads(1)
