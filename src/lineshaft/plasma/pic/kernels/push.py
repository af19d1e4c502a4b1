"""Push and deposit of the particles of one cell, in vectors.

Equations as in `reference.py`, which the tests hold this kernel to. A cell's fields are loaded once, its
particles go by 16 (float32) or 8 (float64) at a time and are written back in place, its current is summed in
registers.

The particles carry linear weights, so four nodes can receive transverse current from one cell. Two of the
weights vanish for most particles and are summed as they are; the other two follow from the sum and the first
moment of the weighted velocities: y1 = S - M - 2 y0 + y3 and y2 = M + y0 - 2 y3.
"""

import numpy as np

from lineshaft.plasma.pic.compile import kernel
from lineshaft.plasma.pic.kernels.vectors import (
    bits_set,
    exact_difference,
    get,
    keep,
    lane_bits,
    lanes,
    larger,
    load,
    outside,
    prefetch,
    put,
    reciprocal_root,
    smaller,
    splat,
    store,
    total,
)
from lineshaft.plasma.pic.lists import BLOCK


@kernel
def ends(nodes, component, cell, kick):
    """Scaled field at the left node of a cell and its rise to the right node, in every lane."""
    left = nodes[component, cell] * kick
    return splat(left), splat(nodes[component, cell + 1] * kick - left)


@kernel
def boris(ex, ey, ez, by, bz, ux, uy, uz, one, two):
    """Boris push: half a kick by E, a rotation about B, half a kick. Fields are scaled by q dt / 2m."""
    a, b, c = ux + ex, uy + ey, uz + ez
    inverse = reciprocal_root(one + a * a + b * b + c * c)
    ty, tz = by * inverse, bz * inverse
    scale = two / (one + ty * ty + tz * tz)
    a1, b1, c1 = a + b * tz - c * ty, b - a * tz, c + a * ty
    sy, sz = ty * scale, tz * scale
    return a + b1 * sz - c1 * sy + ex, b - a1 * sz + ey, c + a1 * sy + ez


@kernel
def push_cell(lists, block, cell, row, nodes, kick, pace):
    """Push the particles of a cell, deposit their current, mark those that left; returns how many did.

    `pace` is the cells that light crosses in a step: 1, or less on a grid coarser than the step.
    """
    pool, table, leavers = lists.pool, lists.table, lists.leavers[block]
    lane, bits, width = lanes(pool), lane_bits(pool), lists.width[block]
    one = splat(pool.dtype.type(1))
    zero, half, two = one - one, splat(pool.dtype.type(0.5)), one + one
    ex, ex_rise = ends(nodes, 0, cell, kick)
    ey, ey_rise = ends(nodes, 1, cell, kick)
    ez, ez_rise = ends(nodes, 2, cell, kick)
    by, by_rise = ends(nodes, 3, cell, kick)
    bz, bz_rise = ends(nodes, 4, cell, kick)
    x_left = x_all = x_right = zero
    y0 = y3 = y_sum = y_first = zero
    z0 = z3 = z_sum = z_first = zero
    every, remaining, left, word = (np.int64(1) << lane) - 1, get(lists.count, cell), np.int64(0), np.int64(0)
    ahead, per_word, paces = row + width, np.int64(64) >> bits, splat(pace)
    for j in range((remaining + lane - 1) >> bits):
        p, next_cells = (
            np.int64(get(table, row + j)) << (bits + 2),
            np.int64(get(table, ahead + j)) << (bits + 2),
        )
        for k in range(4):
            prefetch(pool, next_cells + k * lane)
        valid = every if remaining >= lane else (np.int64(1) << remaining) - 1
        remaining -= lane
        x = keep(load(pool, p), valid)
        ux, uy, uz = boris(
            ex + ex_rise * x,
            ey + ey_rise * x,
            ez + ez_rise * x,
            by + by_rise * x,
            bz + bz_rise * x,
            load(pool, p + lane),
            load(pool, p + 2 * lane),
            load(pool, p + 3 * lane),
            one,
            two,
        )
        inverse = keep(reciprocal_root(one + ux * ux + uy * uy + uz * uz), valid)
        moved = ux * inverse * paces
        new = x + moved
        store(pool, p, new)
        store(pool, p + lane, ux)
        store(pool, p + 2 * lane, uy)
        store(pool, p + 3 * lane, uz)
        out = outside(new) & valid  # a lane without a particle may hold anything
        left += bits_set(out)
        word = (word if j & (per_word - 1) else np.int64(0)) | (out << (lane * (j & (per_word - 1))))
        put(leavers, j >> (6 - bits), word)
        x_left = x_left + smaller(new, zero)
        x_right = x_right + larger(new - one, zero)
        x_all = x_all + exact_difference(new, x)
        middle, vy, vz = x + half * moved, uy * inverse, uz * inverse
        w0, w3 = smaller(middle, zero), larger(middle - one, zero)
        y0, y3, y_sum, y_first = y0 - vy * w0, y3 + vy * w3, y_sum + vy, y_first + vy * middle
        z0, z3, z_sum, z_first = z0 - vz * w0, z3 + vz * w3, z_sum + vz, z_first + vz * middle
    current, i = lists.current[block], cell - block * BLOCK
    deposit_along(current, i, total(x_left), total(x_all), total(x_right))
    deposit_across(current[1], i, total(y0), total(y3), total(y_sum), total(y_first))
    deposit_across(current[2], i, total(z0), total(z3), total(z_sum), total(z_first))
    return left


@kernel
def deposit_along(current, i, left, whole, right):
    """Charge carried through the cell before, the cell at hand and the cell after."""
    current[0, i] += left
    current[0, i + 1] += whole - left - right
    current[0, i + 2] += right


@kernel
def deposit_across(current, i, y0, y3, whole, first):
    """Transverse current on the four nodes around a cell, from the moments of the weighted velocities."""
    current[i] += y0
    current[i + 1] += whole - first - 2 * y0 + y3
    current[i + 2] += first + y0 - 2 * y3
    current[i + 3] += y3
