"""Generators for different purposes from one seed, so that no two of them start with the same draws."""

import hashlib

import torch
from torch import Generator


def generator(seed: int, purpose: str, device: str | torch.device = "cpu") -> Generator:
    """A generator whose draws depend on the seed AND on what they are for (`split`, `training`, ...)."""
    return Generator(device=device).manual_seed(derived(seed, purpose))


def derived(seed: int, purpose: str) -> int:
    """53 bits of a hash: what a generator of any device takes."""
    return int.from_bytes(hashlib.sha256(f"{purpose}:{seed}".encode()).digest()[:8], "big") >> 11
