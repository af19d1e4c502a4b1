"""Where the particles of a species lie: one list a cell, made of chunks from a common pool.

A chunk is 256 bytes, `[x | ux | uy | uz]`, one 64-byte vector each: 16 particles in float32, 8 in float64.
x is the offset in the cell, in [0, 1), so that float32 is as precise at the right end of a long box as at
the left one. A list is a row of chunk numbers in `table`; it grows and shrinks by whole chunks, so nothing
is ever sorted or copied as a whole, and a step reads and writes each particle once, in place.

Cells are grouped in blocks of fixed size. A thread sweeps a block from left to right with a private stack of
free chunks and private currents; what crosses a block's edge waits in rows of its own for `merge`. The
blocks do not depend on the number of threads, and so neither do the results.

No list can overflow within a step: `table` is as wide as the largest three neighbouring cells together
(`crowd`), and each block starts a step with more free chunks than its particles can need, however they move:
lists of N particles use at most N / lanes + (number of lists) chunks.
"""

from typing import NamedTuple

import numpy as np

BLOCK = 128


class Lists(NamedTuple):
    """Arrays of one species, as the kernels see them.

    Rows of `table`, `width` chunk numbers each: the n cells; the left exits of every block; then two rows of
    right exits for every block (of the cell before and the cell at hand), which own their chunks for ever.
    """

    pool: np.ndarray  # real[chunks * 4 * lanes]
    table: np.ndarray  # int32[rows * width]
    count: np.ndarray  # int64[rows], particles in each row
    free: np.ndarray  # int32[blocks, depth], a stack of free chunks for each block
    free_count: np.ndarray  # int64[blocks]
    spare: np.ndarray  # int32[chunks], the stack all blocks share
    spare_count: np.ndarray  # int64[1]
    leavers: np.ndarray  # int64[blocks, words], who leaves the cell at hand, one bit each
    current: np.ndarray  # float64[blocks, 3, BLOCK + 3], private currents


class Particles(NamedTuple):
    """The particles of one species in the order of their cells: count[cells], then offset and momenta."""

    count: np.ndarray  # int64[cells]
    offset: np.ndarray  # real[n], position in the cell, in [0, 1)
    momentum: np.ndarray  # real[3, n], u = gamma v, in units of c

    @property
    def cell(self) -> np.ndarray:
        """Cell of each particle."""
        return np.repeat(np.arange(self.count.size), self.count)


def blocks_of(cells: int) -> int:
    return -(-cells // BLOCK)


def lanes_of(real: np.dtype) -> int:
    return 64 // np.dtype(real).itemsize


def crowd_of(count: np.ndarray) -> int:
    """Particles in the fullest three neighbouring cells: no cell can hold more after the next step."""
    wrapped = np.concatenate([count[-1:], count, count[:1]])
    return int(np.convolve(wrapped, [1, 1, 1], "valid").max(initial=0))


def reserve_of(width: int) -> int:
    """Free chunks with which a block starts a step: see the bound above, and two edges in `merge`."""
    return BLOCK + 4 + 3 * width


def aligned(size: int, real: np.dtype) -> np.ndarray:
    """Zeros that start on a cache line."""
    raw = np.zeros(size * np.dtype(real).itemsize + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + size * np.dtype(real).itemsize].view(real)


def build(particles: Particles) -> Lists:
    """Lists that hold these particles, in their order, with twice the room the fullest cells need."""
    real, cells = particles.offset.dtype, particles.count.size
    lanes, blocks = lanes_of(real), blocks_of(cells)
    width = 2 * -(-crowd_of(particles.count) // lanes) + 4
    reserve, held = reserve_of(width), -(-particles.count // lanes)
    chunks = int(particles.count.sum()) // lanes + cells + blocks * (2 * width + reserve + 1)
    table = np.zeros((cells + 3 * blocks, width), np.int32)
    used = _number(table, np.concatenate([held, np.zeros(blocks, int), np.full(2 * blocks, width)]))
    count = np.zeros(cells + 3 * blocks, np.int64)
    count[:cells] = particles.count
    free = np.zeros((blocks, (BLOCK + 1) * width + 2 * reserve), np.int32)
    free[:, :reserve] = used + np.arange(blocks * reserve).reshape(blocks, reserve)
    spare = np.zeros(chunks, np.int32)
    spared = np.arange(used + blocks * reserve, chunks)
    spare[: spared.size] = spared
    lists = Lists(
        pool=aligned(chunks * 4 * lanes, real),
        table=table.reshape(-1),
        count=count,
        free=free,
        free_count=np.full(blocks, reserve, np.int64),
        spare=spare,
        spare_count=np.array([spared.size], np.int64),
        leavers=np.zeros((blocks, -(-width * lanes // 64) + 1), np.int64),
        current=np.zeros((blocks, 3, BLOCK + 3)),
    )
    slots = _slots(lists, cells)
    for k, values in enumerate([particles.offset, *particles.momentum]):
        lists.pool[slots + k * lanes] = values
    return lists


def flatten(lists: Lists, cells: int) -> Particles:
    """The particles in the order of their lists; `build` of it gives lists that behave identically."""
    slots, lanes = _slots(lists, cells), lanes_of(lists.pool.dtype)
    momentum = np.stack([lists.pool[slots + k * lanes] for k in (1, 2, 3)])
    return Particles(lists.count[:cells].copy(), lists.pool[slots], momentum)


def capacity(lists: Lists) -> int:
    """Particles that fit a row of the table."""
    return lists.table.size // lists.count.size * lanes_of(lists.pool.dtype)


def _number(table: np.ndarray, held: np.ndarray) -> int:
    """Give row r its held[r] chunks, numbered in the order of the rows; returns how many there are."""
    inside = np.arange(table.shape[1]) < held[:, None]
    table[inside] = np.arange(inside.sum())
    return int(inside.sum())


def _slots(lists: Lists, cells: int) -> np.ndarray:
    """Index in the pool of each particle's offset."""
    lanes, count = lanes_of(lists.pool.dtype), lists.count[:cells]
    width = lists.table.size // lists.count.size
    rank = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    row = np.repeat(np.arange(cells) * width, count)
    return lists.table[row + rank // lanes].astype(np.int64) * (4 * lanes) + rank % lanes
