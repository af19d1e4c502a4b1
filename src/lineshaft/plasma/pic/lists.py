"""Where the particles of a species lie: one list a cell, made of chunks from a common pool.

A chunk is 256 bytes, `[x | ux | uy | uz]`, one 64-byte vector each: 16 particles in float32, 8 in float64.
x is the offset in the cell, in [0, 1), so that float32 is as precise at the right end of a long box as at
the left one. A list is a row of chunk numbers in `table`; it grows and shrinks by whole chunks, so nothing
is ever sorted or copied as a whole, and a step reads and writes each particle once, in place.

Cells are grouped in blocks of fixed size. A thread sweeps a block from left to right with a private stack of
free chunks and private currents; what crosses a block's edge waits in rows of its own for `merge`. The
blocks do not depend on the number of threads, and so neither do the results.

No list can overflow within a step: the rows of a block are as wide as the fullest three neighbouring cells in
and beside it together (`crowds_of`), and each block starts a step with more free chunks than its particles
can need, however they move: lists of N particles use at most N / lanes + (number of lists) chunks. Blocks
have their own widths, so that a few crowded cells do not make the rows of the whole box wide.
"""

from typing import Any, NamedTuple

import numpy as np

BLOCK = 128


class Lists(NamedTuple):
    """Arrays of one species, as the kernels see them.

    A block has a row of `width` chunk numbers for each of its cells, one for its left exits and two for right
    exits (of the cell before and the cell at hand), which own their chunks for ever. `count` numbers the rows
    otherwise: the n cells; the left exits of every block; two rows of right exits for every block.
    """

    pool: np.ndarray  # real[chunks * 4 * lanes]
    table: np.ndarray  # int32[chunk numbers of all rows, block by block]
    base: np.ndarray  # int64[blocks], where a block begins in the table
    width: np.ndarray  # int64[blocks], chunk numbers in each of its rows
    count: np.ndarray  # type: ignore[assignment]  # int64[rows], particles in each row; hides tuple's own
    free: np.ndarray  # int32, the blocks' stacks of free chunks, one after the other
    free_base: np.ndarray  # int64[blocks], where each stack begins
    free_count: np.ndarray  # int64[blocks]
    spare: np.ndarray  # int32[chunks], the stack all blocks share
    spare_count: np.ndarray  # int64[1]
    leavers: np.ndarray  # int64[blocks, words], who leaves the cell at hand, one bit each
    current: np.ndarray  # float64[blocks, 3, BLOCK + 3], private currents


class Particles(NamedTuple):
    """The particles of one species in the order of their cells: count[cells], then offset and momenta."""

    count: np.ndarray  # type: ignore[assignment]  # int64[cells]
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


def crowds_of(count: np.ndarray) -> np.ndarray:
    """For each block, particles in the fullest three neighbouring cells.

    No cell can hold more after a step.
    """
    wrapped = np.concatenate([count[-1:], count, count[:1]])
    triples = np.convolve(wrapped, [1, 1, 1], "valid")
    return np.maximum.reduceat(triples, np.arange(0, count.size, BLOCK))


def widths_of(count: np.ndarray, lanes: int) -> np.ndarray:
    """Chunks in a row of each block: twice its crowd, and room for eight times the mean to move in."""
    widths = 2 * -(-crowds_of(count) // lanes) + 4
    roomy = 2 * -(-8 * int(count.sum()) // (count.size * lanes)) + 4
    return np.maximum(widths, min(int(widths.max()), roomy))


def reserve_of(width: Any) -> Any:
    """Free chunks with which a block starts a step: see the bound above, and two edges in `merge`."""
    return BLOCK + 4 + 3 * width


def aligned(size: int, real: np.dtype) -> np.ndarray:
    """Zeros that start on a cache line."""
    raw = np.zeros(size * np.dtype(real).itemsize + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + size * np.dtype(real).itemsize].view(real)


def build(particles: Particles, room: int = 0) -> Lists:
    """Lists that hold these particles, in their order, with room to move in and for `room` more."""
    real, cells = particles.offset.dtype, particles.count.size
    lanes, blocks = lanes_of(real), blocks_of(cells)
    width = widths_of(particles.count, lanes)
    reserve, within = reserve_of(width), np.minimum(BLOCK, cells - np.arange(blocks) * BLOCK)
    base = starts((within + 3) * width)
    chunks = (int(particles.count.sum()) + room) // lanes + cells + int((2 * width + reserve).sum()) + blocks
    lists = Lists(
        pool=aligned(chunks * 4 * lanes, real),
        table=np.zeros(int(((within + 3) * width).sum()), np.int32),
        base=base,
        width=width,
        count=np.concatenate([particles.count, np.zeros(3 * blocks, np.int64)]),
        free=np.zeros(int(((BLOCK + 1) * width + 2 * reserve).sum()), np.int32),
        free_base=starts((BLOCK + 1) * width + 2 * reserve),
        free_count=np.array(reserve, np.int64),
        spare=np.zeros(chunks, np.int32),
        spare_count=np.zeros(1, np.int64),
        leavers=np.zeros((blocks, -(-int(width.max()) * lanes // 64) + 1), np.int64),
        current=np.zeros((blocks, 3, BLOCK + 3)),
    )
    _number(lists, cells, lanes, within, reserve)
    slots = _slots(lists, cells)
    for k, values in enumerate([particles.offset, *particles.momentum]):
        lists.pool[slots + k * lanes] = values
    return lists


def starts(sizes: np.ndarray) -> np.ndarray:
    """Where each of several consecutive stretches begins."""
    return np.cumsum(sizes) - sizes


def capacity(lists: Lists, cells: int) -> int:
    """Particles up to which the pool can never run out of chunks, however they move."""
    lanes, blocks = lanes_of(lists.pool.dtype), lists.width.size
    bound = cells + int((2 * lists.width + reserve_of(lists.width)).sum()) + blocks
    return (lists.spare.size - bound) * lanes


def flatten(lists: Lists, cells: int) -> Particles:
    """The particles in the order of their lists; `build` of it gives lists that behave identically."""
    slots, lanes = _slots(lists, cells), lanes_of(lists.pool.dtype)
    momentum = np.stack([lists.pool[slots + k * lanes] for k in (1, 2, 3)])
    return Particles(lists.count[:cells].copy(), lists.pool[slots], momentum)


def crowded(lists: Lists, cells: int) -> bool:
    """Whether some cell could be given more particles in a step than its row holds."""
    return bool((crowds_of(lists.count[:cells]) > lists.width * lanes_of(lists.pool.dtype)).any())


def _number(lists: Lists, cells: int, lanes: int, within: np.ndarray, reserve: np.ndarray) -> None:
    """Hand out the chunks: to the cells what they hold, to the right exits, to every block.

    The rest to all.
    """
    held, used = -(-lists.count[:cells] // lanes), 0
    rank = np.arange(held.sum()) - np.repeat(starts(held), held)
    lists.table[np.repeat(_rows(lists, cells), held) + rank] = np.arange(held.sum())
    used = int(held.sum())
    for block, (start, width) in enumerate(zip(lists.base + (within + 1) * lists.width, lists.width)):
        lists.table[start : start + 2 * width] = np.arange(used, used + 2 * width)
        used += 2 * int(width)
        first = lists.free_base[block]
        lists.free[first : first + reserve[block]] = np.arange(used, used + reserve[block])
        used += int(reserve[block])
    spared = np.arange(used, lists.spare.size)
    lists.spare[: spared.size] = spared
    lists.spare_count[0] = spared.size


def _rows(lists: Lists, cells: int) -> np.ndarray:
    """Where the row of each cell begins in the table."""
    cell = np.arange(cells)
    return lists.base[cell // BLOCK] + cell % BLOCK * lists.width[cell // BLOCK]


def _slots(lists: Lists, cells: int) -> np.ndarray:
    """Index in the pool of each particle's offset."""
    lanes, count = lanes_of(lists.pool.dtype), lists.count[:cells]
    rank = np.arange(count.sum()) - np.repeat(starts(count), count)
    row = np.repeat(_rows(lists, cells), count)
    return lists.table[row + rank // lanes].astype(np.int64) * (4 * lanes) + rank % lanes
