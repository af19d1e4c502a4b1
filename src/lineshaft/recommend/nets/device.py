"""Where networks are trained: the first GPU that the process can see, else the CPU.

Scorers live on the CPU whatever trained them, so that a saved model serves anywhere.
"""

import torch


def device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
