"""Push and deposit of the particles of a tile: a list that holds several cells, for a few particles a cell.

A list a cell wastes most lanes of a vector on a sparse tail. Here a list covers as many cells as a vector has
lanes, or fewer; each particle finds its cell's fields by a permutation of registers, and leaves its currents
as rows of four numbers, which are added to its cell's rows one particle after the other. Positions are
offsets in the tile, so four bits are lost. Equations as in `push.py`.
"""

import numpy as np

from lineshaft.plasma.pic.compile import kernel
from lineshaft.plasma.pic.kernels.push import boris
from lineshaft.plasma.pic.kernels.vectors import (
    add_row,
    bits_set,
    exact_difference,
    get,
    keep,
    lane_bits,
    lanes,
    larger,
    load,
    load_at,
    outside,
    pick,
    prefetch,
    put,
    reciprocal_root,
    smaller,
    splat,
    store,
    store_rows,
    store_whole,
    whole,
)

WIDEST = 16  # cells in a tile of float32; 8 of float64


@kernel
def tables_of(nodes, first, cells, tables):
    """Fields at the left nodes of a narrow tile's cells and their rise, [10, lanes] in one row."""
    lane = lanes(tables)
    for k in range(5):
        for i in range(min(cells, nodes.shape[1] - 1 - first)):
            left = nodes[k, first + i]
            put(tables, 2 * k * lane + i, left)
            put(tables, (2 * k + 1) * lane + i, nodes[k, first + i + 1] - left)


@kernel
def field_of(flat, tables, k, start, is_full, kick):
    """A component at the left nodes of a tile's cells and its rise, scaled; a full tile reads the grid."""
    lane = lanes(tables)
    if is_full:
        left = load_at(flat, start)
        return left * kick, (load_at(flat, start + 1) - left) * kick
    return load_at(tables, 2 * k * lane) * kick, load_at(tables, (2 * k + 1) * lane) * kick


@kernel
def push_tile(lists, block, tile, row, nodes, kick, pace, cells, tables, rows, index, sums):
    """Push the particles of a tile and mark those that left it; `sums` [cells, 12] gets their currents.

    `pace` is the tiles that light crosses in a step. Returns how many left.
    """
    pool, table, leavers = lists.pool, lists.table, lists.leavers[block]
    lane, bits, width = lanes(pool), lane_bits(pool), lists.width[block]
    one, wide, narrow = splat(pool.dtype.type(1)), splat(pool.dtype.type(cells)), splat(pace)
    zero, half, two = one - one, splat(pool.dtype.type(0.5)), one + one
    first, size, flat, is_full, kicks = (
        tile * cells,
        nodes.shape[1],
        nodes.ravel(),
        cells == lane,
        splat(kick),
    )
    if not is_full:
        tables_of(nodes, first, cells, tables)
    ex, ex_rise = field_of(flat, tables, 0, first, is_full, kicks)
    ey, ey_rise = field_of(flat, tables, 1, size + first, is_full, kicks)
    ez, ez_rise = field_of(flat, tables, 2, 2 * size + first, is_full, kicks)
    by, by_rise = field_of(flat, tables, 3, 3 * size + first, is_full, kicks)
    bz, bz_rise = field_of(flat, tables, 4, 4 * size + first, is_full, kicks)
    every, remaining, left, word = (np.int64(1) << lane) - 1, get(lists.count, tile), np.int64(0), np.int64(0)
    ahead, per_word = row + width, np.int64(64) >> bits
    for j in range((remaining + lane - 1) >> bits):
        p, following = (
            np.int64(get(table, row + j)) << (bits + 2),
            np.int64(get(table, ahead + j)) << (bits + 2),
        )
        for k in range(4):
            prefetch(pool, following + k * lane)
        held = min(remaining, lane)
        valid = every if remaining >= lane else (np.int64(1) << remaining) - 1
        remaining -= lane
        at = keep(load(pool, p), valid)
        cell = whole(at * wide)
        x = at * wide - cell
        ux, uy, uz = boris(
            pick(ex, cell) + pick(ex_rise, cell) * x,
            pick(ey, cell) + pick(ey_rise, cell) * x,
            pick(ez, cell) + pick(ez_rise, cell) * x,
            pick(by, cell) + pick(by_rise, cell) * x,
            pick(bz, cell) + pick(bz_rise, cell) * x,
            load(pool, p + lane),
            load(pool, p + 2 * lane),
            load(pool, p + 3 * lane),
            one,
            two,
        )
        inverse = keep(reciprocal_root(one + ux * ux + uy * uy + uz * uz), valid)
        new = at + ux * inverse * narrow
        store(pool, p, new)
        store(pool, p + lane, ux)
        store(pool, p + 2 * lane, uy)
        store(pool, p + 3 * lane, uz)
        out = outside(new) & valid
        left += bits_set(out)
        word = (word if j & (per_word - 1) else np.int64(0)) | (out << (lane * (j & (per_word - 1))))
        put(leavers, j >> (6 - bits), word)
        moved = exact_difference(new, at) * wide
        there = new * wide - cell
        gone, come = smaller(there, zero), larger(there - one, zero)
        middle, vy, vz = x + half * moved, uy * inverse, uz * inverse
        w0, w3 = larger(zero - middle, zero), larger(middle - one, zero)
        w1, w2 = one - middle - two * w0 + w3, middle + w0 - two * w3
        store_whole(index, 0, cell)
        store_rows(rows, 0, (gone, moved - gone - come, come, zero))
        store_rows(rows, 4 * lane, (vy * w0, vy * w1, vy * w2, vy * w3))
        store_rows(rows, 8 * lane, (vz * w0, vz * w1, vz * w2, vz * w3))
        for i in range(held):
            to = np.int64(get(index, i)) * 12
            for k in range(3):
                add_row(sums, to + 4 * k, rows, (k * lane + i) * 4)
    return left


@kernel
def deposit_tile(sums, current, first, cells, charge):
    """Add a tile's rows to the box's current and clear them."""
    last = min(cells, current.shape[1] - 3 - first)
    for i in range(last):
        at = 12 * i
        for k in range(3):
            current[0, first + i + k] += charge * sums[at + k]
        for k in range(4):
            current[1, first + i + k] += charge * sums[at + 4 + k]
            current[2, first + i + k] += charge * sums[at + 8 + k]
    sums[: 12 * cells] = 0
