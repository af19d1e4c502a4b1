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
from lineshaft.plasma.pic.kernels.tiles import deposit_tile, push_tile
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
    chunk = lists.free[lists.free_base[block] + lists.free_count[block]]
    put(lists.table, row + (i >> lane_bits(lists.pool)), chunk)


@kernel
def release(lists, block, row, size, was):
    """Take back the chunks a list that shrank from `was` to `size` particles no longer needs."""
    lane, bits = lanes(lists.pool), lane_bits(lists.pool)
    for j in range((size + lane - 1) >> bits, (was + lane - 1) >> bits):
        lists.free[lists.free_base[block] + lists.free_count[block]] = get(lists.table, row + j)
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
def sweep(lists, cells, block, nodes, kick, pace, until):
    """Push the cells of a block from left to right, as far as `until`, and hand over those that leave."""
    blocks, width = lists.free_count.size, lists.width[block]
    count, first = lists.count, block * BLOCK
    lists.current[block] = 0
    edge, exits = cells + block, cells + blocks + 2 * block
    edge_row = lists.base[block] + min(BLOCK, cells - first) * width
    row, exits_row = lists.base[block], edge_row + width
    left, left_row, waiting = edge, edge_row, np.int64(0)
    count[edge] = 0
    for cell in range(first, min(first + BLOCK, cells, until)):
        before, after = cell & 1, 1 - (cell & 1)
        here = get(count, cell)
        if here + waiting > 0:
            words, leaving = (here + 63) >> 6, np.int64(0)
            if here > 0:
                leaving = push_cell(lists, block, cell, row, nodes, kick, pace)
            size = append(lists, block, row, here, exits_row + before * width, waiting)
            waiting = np.int64(0)
            if leaving > 0:
                size, size_left, waiting = hand_over(
                    lists, block, row, words, size, left_row, get(count, left), exits_row + after * width
                )
                put(count, left, size_left)
            put(count, cell, size)
        put(count, exits + after, waiting)
        left, left_row = cell, row
        row += width


@kernel
def sweep_tiles(lists, tiles, cells, nodes, kick, pace, until, charge, current):
    """Like `sweep_alone`, for tiles of `cells` cells, which add to the box's current at once."""
    lane = lanes(lists.pool)
    real, count, blocks = lists.pool.dtype, lists.count, lists.free_count.size
    tables, rows = np.zeros(10 * lane, real), np.zeros(12 * lane, real)
    index, sums = np.zeros(lane, np.int32), np.zeros(12 * cells + 4, real)
    for block in range((until + BLOCK - 1) // BLOCK):
        first, width = block * BLOCK, lists.width[block]
        edge, exits = tiles + block, tiles + blocks + 2 * block
        edge_row = lists.base[block] + min(BLOCK, tiles - first) * width
        row, exits_row = lists.base[block], edge_row + width
        left, left_row, waiting = edge, edge_row, np.int64(0)
        count[edge] = 0
        for tile in range(first, min(first + BLOCK, tiles, until)):
            before, after = tile & 1, 1 - (tile & 1)
            here = get(count, tile)
            if here + waiting > 0:
                words, leaving = (here + 63) >> 6, np.int64(0)
                if here > 0:
                    leaving = push_tile(
                        lists, block, tile, row, nodes, kick, pace, cells, tables, rows, index, sums
                    )
                    deposit_tile(sums, current, tile * cells, cells, charge)
                size = append(lists, block, row, here, exits_row + before * width, waiting)
                waiting = np.int64(0)
                if leaving > 0:
                    size, size_left, waiting = hand_over(
                        lists, block, row, words, size, left_row, get(count, left), exits_row + after * width
                    )
                    put(count, left, size_left)
                put(count, tile, size)
            put(count, exits + after, waiting)
            left, left_row = tile, row
            row += width


@kernel(parallel=True)
def sweep_blocks(lists, cells, nodes, kick, pace, until):
    """One pass over the blocks that begin before `until`, shared among the threads.

    Their index is unsigned here: cast, or all below would be compiled twice.
    """
    for block in prange((until + BLOCK - 1) // BLOCK):
        sweep(lists, cells, np.int64(block), nodes, kick, pace, until)


@kernel
def sweep_alone(lists, cells, nodes, kick, pace, until):
    """The same on the calling thread: for few particles the threads cost more than they save."""
    for block in range((until + BLOCK - 1) // BLOCK):
        sweep(lists, cells, block, nodes, kick, pace, until)


@kernel
def merge(lists, cells, walls, noise, charge, current, lost, until):
    """Add up the private currents and deliver what crossed the edges of blocks.

    `current` is float64[3, cells + 3]: along x for the cells -1..cells, across for the nodes -1..cells+1.
    `lost` gathers number and sum of (gamma - 1) of the particles that left the box. Returns whether some cell
    could be given more particles in a step than its row holds.
    """
    blocks = (until + BLOCK - 1) // BLOCK
    for block in range(blocks):
        first, last = block * BLOCK, min(min((block + 1) * BLOCK, cells), until) - 1
        if idle(lists, cells, block):
            continue
        for k in range(3):
            whole, private = current[k, first : last + 4], lists.current[block, k]
            for i in range(whole.size):
                whole[i] += charge * private[i]
        width = lists.width[block]
        edge, exits = cells + block, cells + lists.free_count.size + 2 * block + 1 - (last & 1)
        edge_row = lists.base[block] + min(BLOCK, cells - first) * width
        exits_row = edge_row + (2 - (last & 1)) * width
        deliver(lists, cells, walls, noise, edge_row, lists.count[edge], first - 1, charge, current, lost)
        deliver(lists, cells, walls, noise, exits_row, lists.count[exits], last + 1, charge, current, lost)
        release(lists, block, edge_row, 0, lists.count[edge])
        lists.count[edge] = 0
        lists.count[exits] = 0
    balance(lists)
    return crowd(lists, cells, until)


@kernel
def idle(lists, cells, block):
    """Whether a block has just pushed nothing: it holds nothing and nothing waits beyond its edges."""
    exits, held = cells + lists.free_count.size + 2 * block, lists.count[cells + block]
    held += lists.count[exits] + lists.count[exits + 1]
    within = lists.count[block * BLOCK : min((block + 1) * BLOCK, cells)]
    for i in range(within.size):
        held += within[i]
    return held == 0


@kernel
def deliver(lists, cells, walls, noise, row, arriving, cell, charge, current, lost):
    """Append a list to a cell; beyond the ends of the box, to the other end, back, or to what is lost.

    `walls` is float64[2, 2]: for either end the kind (-1 periodic, 0 absorbing, 1 reflecting, 2 thermal) and
    the temperature over the mass. What is absorbed takes the rest of its cloud along: a coarse one reaches
    far into the box.
    """
    end = 0 if cell < 0 else 1
    if cell < 0 or cell >= cells:
        if walls[end, 0] == 0:
            lost[0] += arriving
            lost[1] += excess_of(lists, row, arriving)
            for i in range(arriving):
                x = lists.pool[slot(lists, row, i)]
                if end == 0:
                    current[0, 0] -= charge * x
                else:
                    current[0, cells + 1] += charge * (1 - x)
            return
        if walls[end, 0] > 0:
            before = excess_of(lists, row, arriving)
            turn_back(lists, row, arriving, end, walls, noise)
            lost[1] += before - excess_of(lists, row, arriving)
            cell = 0 if end == 0 else cells - 1
        else:
            cell = (cell + cells) % cells
    block = cell // BLOCK
    to = lists.base[block] + (cell - block * BLOCK) * lists.width[block]
    lists.count[cell] = append(lists, block, to, lists.count[cell], row, arriving)


@kernel
def insert(lists, cell, offset, momentum):
    """Append particles to the lists of their cells and give the blocks their free chunks back."""
    lane = lanes(lists.pool)
    for i in range(cell.size):
        block = cell[i] // BLOCK
        row = lists.base[block] + (cell[i] - block * BLOCK) * lists.width[block]
        size = lists.count[cell[i]]
        if size & (lane - 1) == 0:
            allocate(lists, block, row, size)
        p = slot(lists, row, size)
        put(lists.pool, p, offset[i])
        for k in range(3):
            put(lists.pool, p + (k + 1) * lane, momentum[k, i])
        lists.count[cell[i]] = size + 1
    balance(lists)


@kernel
def excess_of(lists, row, arriving):
    """Sum of gamma - 1 over a list, written so that slow particles keep their digits."""
    lane, total = lanes(lists.pool), 0.0
    for i in range(arriving):
        p, square = slot(lists, row, i), 0.0
        for k in range(1, 4):
            square += np.float64(lists.pool[p + k * lane]) ** 2
        total += square / (1 + np.sqrt(1 + square))
    return total


@kernel
def turn_back(lists, row, arriving, end, walls, noise):
    """Mirror the particles of a list at a wall; a thermal wall gives them new momenta of its temperature."""
    pool, lane, heat = lists.pool, lanes(lists.pool), walls[end, 1]
    one, inward = pool.dtype.type(1), 1.0 if end == 0 else -1.0
    last = np.nextafter(one, pool.dtype.type(0))
    for i in range(arriving):
        p = slot(lists, row, i)
        pool[p] = min(one - pool[p], last)
        if walls[end, 0] == 1:
            pool[p + lane] = -pool[p + lane]
        else:
            along, across, angle = leaving_wall(heat, noise)
            pool[p + lane] = inward * along
            pool[p + 2 * lane] = across * np.cos(angle)
            pool[p + 3 * lane] = across * np.sin(angle)


@kernel
def leaving_wall(heat, noise):
    """Momenta of what a Maxwell-Juettner gas sends through a surface: normal, tangential, its direction.

    The flux of particles through dux is d(gamma) exp(-gamma / heat), so gamma exceeds its tangential part
    gamma_t by an exponential; gamma_t has the density gamma_t exp(-gamma_t / heat).
    """
    rest = -heat * np.log(uniform(noise))
    if uniform(noise) * (1 + heat) < heat:
        rest -= heat * np.log(uniform(noise))
    across = np.sqrt(rest * (2 + rest))
    more = -heat * np.log(uniform(noise))
    along = np.sqrt(more * (2 * (1 + rest) + more))
    return along, across, 2 * np.pi * uniform(noise)


@kernel
def uniform(noise):
    """The next number in (0, 1) of a splitmix64 generator, whose state is noise[0]."""
    noise[0] += np.uint64(0x9E3779B97F4A7C15)
    z = noise[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return (np.float64(z >> np.uint64(11)) + 0.5) / 9007199254740992.0


@kernel
def balance(lists):
    """Leave every block with the free chunks that it may need."""
    for block in range(lists.free_count.size):
        base, reserve = lists.free_base[block], BLOCK + 4 + 3 * lists.width[block]
        while lists.free_count[block] > reserve:
            lists.free_count[block] -= 1
            lists.spare[lists.spare_count[0]] = lists.free[base + lists.free_count[block]]
            lists.spare_count[0] += 1
    for block in range(lists.free_count.size):
        base, reserve = lists.free_base[block], BLOCK + 4 + 3 * lists.width[block]
        while lists.free_count[block] < reserve:
            lists.spare_count[0] -= 1
            lists.free[base + lists.free_count[block]] = lists.spare[lists.spare_count[0]]
            lists.free_count[block] += 1


@kernel
def crowd(lists, cells, until):
    """Whether three neighbouring cells together hold more than the row of the middle one has room for."""
    count, bits, over = lists.count, lane_bits(lists.pool), False
    for block in range((min(until + 1, cells) + BLOCK - 1) // BLOCK):
        first, last = block * BLOCK, min((block + 1) * BLOCK, cells)
        fullest = count[(first - 1) % cells] + count[first] + count[(first + 1) % cells]
        fullest = max(fullest, count[(last - 2) % cells] + count[last - 1] + count[last % cells])
        before, here, after = count[first : last - 2], count[first + 1 : last - 1], count[first + 2 : last]
        for i in range(after.size):
            fullest = max(fullest, before[i] + here[i] + after[i])
        over |= fullest > lists.width[block] << bits
    return over
