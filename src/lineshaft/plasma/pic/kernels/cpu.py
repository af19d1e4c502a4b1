"""The fast step of one species on the CPU: push, deposit and hand over in one pass, in place.

A thread sweeps its blocks from left to right. What leaves a cell to the left is appended at once to the list
just pushed; what leaves to the right waits until the next cell is pushed. Only what crosses the edge of a
block, and the private currents, are left to `merge`, which one thread does in the order of the blocks. So the
results are the same, bit by bit, for any number of threads.
"""

import numpy as np
from numba import prange

from lineshaft.plasma.pic.compile import kernel
from lineshaft.plasma.pic.kernels.push import push_cell
from lineshaft.plasma.pic.kernels.vectors import get, highest_bit, lane_bits, lanes, put
from lineshaft.plasma.pic.lists import BLOCK


@kernel
def slot(lists, row, i):
    """Index in the pool of the offset of particle i of a list."""
    bits = lane_bits(lists.pool)
    chunk = np.int64(get(lists.table, row + (i >> bits)))
    return (chunk << (bits + 2)) + (i & (lanes(lists.pool) - 1))


@kernel
def copy(pool, source, target):
    """Copy one particle."""
    lane = lanes(pool)
    for k in range(4):
        put(pool, target + k * lane, get(pool, source + k * lane))


@kernel
def allocate(lists, block, row, i):
    """Give a list a free chunk, which begins with particle i."""
    lists.free_count[block] -= 1
    put(lists.table, row + (i >> lane_bits(lists.pool)), lists.free[block, lists.free_count[block]])


@kernel
def release(lists, block, row, size, was):
    """Take back the chunks a list that shrank from `was` to `size` particles no longer needs."""
    lane, bits = lanes(lists.pool), lane_bits(lists.pool)
    for j in range((size + lane - 1) >> bits, (was + lane - 1) >> bits):
        lists.free[block, lists.free_count[block]] = get(lists.table, row + j)
        lists.free_count[block] += 1


@kernel
def append(lists, block, row, size, source, arriving):
    """Copy the particles of the list `source` to the end of another; returns its new size."""
    for i in range(arriving):
        if size & (lanes(lists.pool) - 1) == 0:
            allocate(lists, block, row, size)
        copy(lists.pool, slot(lists, source, i), slot(lists, row, size))
        size += 1
    return size


@kernel
def hand_over(lists, block, row, words, size, to_left, size_left, to_right):
    """Move the marked particles of a cell to its neighbours, last first; the last stayer fills the gap.

    Returns the sizes of the cell, of the left neighbour and of the right exits.
    """
    pool, leavers, was, size_right = lists.pool, lists.leavers[block], size, np.int64(0)
    full = lanes(pool) - 1
    one, half, zero = pool.dtype.type(1), pool.dtype.type(0.5), pool.dtype.type(0)
    last = np.nextafter(one, zero)
    for word in range(words - 1, -1, -1):
        mask = get(leavers, word)
        while mask != 0:
            bit = highest_bit(mask)
            mask ^= np.int64(1) << bit
            p = slot(lists, row, (word << 6) + bit)
            x = get(pool, p)
            left = x < half
            if size_left & full == 0 and left:  # in this order: whether a particle left is a coin toss
                allocate(lists, block, to_left, size_left)
            put(pool, p, max(zero, min(x + (one if left else -one), last)))
            copy(pool, p, slot(lists, to_left if left else to_right, size_left if left else size_right))
            size_left += np.int64(left)
            size_right += np.int64(1) - np.int64(left)
            size -= 1
            copy(pool, slot(lists, row, size), p)
    release(lists, block, row, size, was)
    return size, size_left, size_right


@kernel
def sweep(lists, cells, block, nodes, kick):
    """Push the cells of a block from left to right and hand over those that leave."""
    blocks, width = lists.free_count.size, lists.table.size // lists.count.size
    count = lists.count
    lists.current[block] = 0
    edge, exits = cells + block, cells + blocks + 2 * block
    count[edge], left, waiting = 0, edge, np.int64(0)
    for cell in range(block * BLOCK, min((block + 1) * BLOCK, cells)):
        words = (get(count, cell) + 63) >> 6
        leaving = push_cell(lists, block, cell, nodes, kick)
        before, after = exits + (cell & 1), exits + 1 - (cell & 1)
        size = append(lists, block, cell * width, get(count, cell), before * width, waiting)
        waiting = np.int64(0)
        if leaving > 0:
            size, size_left, waiting = hand_over(
                lists, block, cell * width, words, size, left * width, get(count, left), after * width
            )
            put(count, left, size_left)
        put(count, cell, size)
        put(count, after, waiting)
        left = cell


@kernel(parallel=True)
def sweep_blocks(lists, cells, nodes, kick):
    """One pass over all blocks, shared among the threads."""
    for block in prange(lists.free_count.size):
        sweep(lists, cells, block, nodes, kick)


@kernel
def merge(lists, cells, periodic, charge, current, lost):
    """Add up the private currents and deliver what crossed the edges of blocks.

    `current` is float64[3, cells + 3]: along x for the cells -1..cells, across for the nodes -1..cells+1.
    `lost` gathers number and sum of (gamma - 1) of the particles that left the box. Returns the crowd.
    """
    blocks, width = lists.free_count.size, lists.table.size // lists.count.size
    for block in range(blocks):
        first, last = block * BLOCK, min((block + 1) * BLOCK, cells) - 1
        for k in range(3):
            for i in range(last - first + 4):
                current[k, first + i] += charge * lists.current[block, k, i]
        edge, exits = cells + block, cells + blocks + 2 * block + 1 - (last & 1)
        deliver(lists, cells, periodic, edge * width, lists.count[edge], first - 1, lost)
        deliver(lists, cells, periodic, exits * width, lists.count[exits], last + 1, lost)
        release(lists, block, edge * width, 0, lists.count[edge])
        lists.count[edge] = 0
    balance(lists, BLOCK + 4 + 3 * width)
    return crowd(lists.count, cells)


@kernel
def deliver(lists, cells, periodic, row, arriving, cell, lost):
    """Append a list to a cell; beyond the ends of the box, to the other end or to what is lost."""
    width = lists.table.size // lists.count.size
    if periodic:
        cell = (cell + cells) % cells
    if 0 <= cell < cells:
        size = append(lists, cell // BLOCK, cell * width, lists.count[cell], row, arriving)
        lists.count[cell] = size
    else:
        for i in range(arriving):
            p, lane, square = slot(lists, row, i), lanes(lists.pool), 0.0
            for k in range(1, 4):
                square += np.float64(lists.pool[p + k * lane]) ** 2
            lost[0] += 1
            lost[1] += square / (1 + np.sqrt(1 + square))


@kernel
def balance(lists, reserve):
    """Leave every block with `reserve` free chunks."""
    for block in range(lists.free_count.size):
        while lists.free_count[block] > reserve:
            lists.free_count[block] -= 1
            lists.spare[lists.spare_count[0]] = lists.free[block, lists.free_count[block]]
            lists.spare_count[0] += 1
    for block in range(lists.free_count.size):
        while lists.free_count[block] < reserve:
            lists.spare_count[0] -= 1
            lists.free[block, lists.free_count[block]] = lists.spare[lists.spare_count[0]]
            lists.free_count[block] += 1


@kernel
def crowd(count, cells):
    """Particles in the fullest three neighbouring cells."""
    fullest, previous, here = np.int64(0), count[cells - 1], count[0]
    for cell in range(cells):
        following = count[(cell + 1) % cells]
        fullest = max(fullest, previous + here + following)
        previous, here = here, following
    return fullest
