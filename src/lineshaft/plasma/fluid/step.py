"""One step of a fluid: kick, limited flux, and the work of Ex.

Six moments on the nodes (dual cells): n, n u_x, n u_y, n u_z, W = n (<u_x>^2 + T) and P = n T_across, with T
the variance of u = gamma v per axis. The heat flux is zero, as of a Gaussian. Rusanov fluxes of first order
with a signal speed of at most c: with dt = dx no node can lose more than it holds, except a half node at an
edge, which `limit` sees to. J_x at a face is the charge times its mass flux, so Gauss's law holds to
round-off.

Ex does its work where that current flows, by the mean of the field before and after the step: the fluid gains
what the field loses. (Working with the field before the step creates dt J^2 / 2.)
"""

import numpy as np

from lineshaft.plasma.pic.compile import kernel
from lineshaft.plasma.pic.kernels.vectors import (
    keep,
    lanes,
    larger,
    load_at,
    quick_root,
    smaller,
    splat,
    store_at,
    total,
)

MOST = 0.9  # share of its content that a node may lose in one step
TINY = 1e-30
LANES = 8
STATE = 9  # n, u_x, u_y, u_z, T, T_across, 1 / gamma, speed of sound, gamma


def padded(rows: int, nodes: int) -> np.ndarray:
    """Zeros [rows, nodes and room behind for the last vector]."""
    return np.zeros((rows, nodes + LANES))


@kernel
def kick(content, state, fields, lo, hi, half, floor, made):
    """Turn the momenta about the fields on the nodes; fill `state`.

    Where W leaves no room for T = floor the drift is cut and W kept; `made` counts the energy that even
    a fluid at rest lacks. `half` is q dt / 2m.
    """
    size, content, state, fields = state.shape[1], content.ravel(), state.ravel(), fields.ravel()
    lane = lanes(content)
    one, least, scale = splat(1.0), splat(floor), splat(half)
    zero, two, tiny = one - one, one + one, splat(TINY)
    three, added = two + one, zero
    for i in range(lo, hi + 1, lane):
        inside = (np.int64(1) << min(lane, hi + 1 - i)) - 1
        n, m1, m2 = load_at(content, i), load_at(content, size + i), load_at(content, 2 * size + i)
        m3, energy = load_at(content, 3 * size + i), load_at(content, 4 * size + i)
        across = load_at(content, 5 * size + i)
        inverse = one / larger(n, tiny)
        a, b, c = m1 * inverse, m2 * inverse, m3 * inverse
        mean, beside = energy * inverse, larger(across * inverse, least)
        room = larger(mean - least, zero)
        square = larger(a * a, tiny)
        a = a * smaller(one, root(room / square))
        before = a * a
        heat = larger(mean - before, least)
        added = added + keep(n * larger(least - mean, zero), inside)
        ex, ey = load_at(fields, i) * scale, load_at(fields, size + i) * scale
        ez, by = load_at(fields, 2 * size + i) * scale, load_at(fields, 3 * size + i) * scale
        bz = load_at(fields, 4 * size + i) * scale
        a, b, c = a + ex, b + ey, c + ez
        rest = one + three * heat + two * beside
        slowed = quick_root(rest + a * a + b * b + c * c)
        ty, tz = by * slowed, bz * slowed
        turn = two / (one + ty * ty + tz * tz)
        a1, b1, c1 = a + b * tz - c * ty, b - a * tz, c + a * ty
        turned = a + (b1 * tz - c1 * ty) * turn
        rotation = turned * turned - a * a
        a, b, c = turned + ex, b - a1 * tz * turn + ey, c + a1 * ty * turn + ez
        rest = rest + a * a + b * b + c * c
        slowed = quick_root(rest)
        store_at(state, i, n)
        store_at(state, size + i, a)
        store_at(state, 2 * size + i, b)
        store_at(state, 3 * size + i, c)
        store_at(state, 4 * size + i, heat)
        store_at(state, 5 * size + i, beside)
        store_at(state, 6 * size + i, slowed)
        store_at(state, 7 * size + i, root(three * heat) * slowed)
        store_at(state, 8 * size + i, rest * slowed)
        store_within(content, size + i, n * a, m1, inside)
        store_within(content, 2 * size + i, n * b, m2, inside)
        store_within(content, 3 * size + i, n * c, m3, inside)
        store_within(content, 4 * size + i, n * (before + rotation + heat), energy, inside)
        store_within(content, 5 * size + i, n * beside, across, inside)
    made[0] += total(added)


@kernel
def root(a):
    """Square root of a vector that is not negative."""
    return a * quick_root(a + splat(TINY))


@kernel
def store_within(array, i, new, old, inside):
    """Write the lanes inside; the others keep what they had."""
    store_at(array, i, keep(new, inside) + keep(old, ~inside))


@kernel
def fluxes(state, flux, lo, hi):
    """Rusanov fluxes through the faces lo..hi - 1; face i lies between the nodes i and i + 1.

    Momenta across and P go with the mass, from where it comes.
    """
    size, state, flux = state.shape[1], state.ravel(), flux.ravel()
    lane = lanes(state)
    one = splat(1.0)
    zero, half, three = one - one, splat(0.5), splat(3.0)
    for i in range(lo, hi, lane):
        inside = (np.int64(1) << min(lane, hi - i)) - 1
        n, m = load_at(state, i), load_at(state, i + 1)
        a, d = load_at(state, size + i), load_at(state, size + i + 1)
        heat, warm = load_at(state, 4 * size + i), load_at(state, 4 * size + i + 1)
        slowed, slow = load_at(state, 6 * size + i), load_at(state, 6 * size + i + 1)
        sound, tone = load_at(state, 7 * size + i), load_at(state, 7 * size + i + 1)
        left, right = a * slowed, d * slow
        fastest = larger(larger(left, zero - left) + sound, larger(right, zero - right) + tone)
        speed = half * smaller(fastest, one)
        l0, r0 = n * left, m * right
        push, pull = n * heat * slowed, m * warm * slow
        mass = half * (l0 + r0) - speed * (m - n)
        along = half * (l0 * a + push + r0 * d + pull) - speed * (m * d - n * a)
        work = half * ((l0 * a + three * push) * a + (r0 * d + three * pull) * d)
        work = work - speed * (m * (d * d + warm) - n * (a * a + heat))
        out, back = larger(mass, zero), smaller(mass, zero)
        store_at(flux, i, keep(mass, inside))
        store_at(flux, size + i, keep(along, inside))
        store_at(flux, 4 * size + i, keep(work, inside))
        for k in (2, 3, 5):
            carried = out * load_at(state, k * size + i) + back * load_at(state, k * size + i + 1)
            store_at(flux, k * size + i, keep(carried, inside))


@kernel
def limit(content, flux, lo, hi, steps):
    """Scale the fluxes out of a node that would lose more than MOST of its content in `steps` steps."""
    held, mass = content[0, lo : hi + 1], flux[0, lo:hi]
    if not drains(held, mass, steps):
        return
    for i in range(lo, hi + 1):
        right = max(flux[0, i], 0.0) if i < hi else 0.0
        left = max(-flux[0, i - 1], 0.0) if i > lo else 0.0
        if (right + left) * steps > MOST * content[0, i]:
            share = MOST * max(content[0, i], 0.0) / ((right + left) * steps)
            for k in range(6):
                if right > 0.0:
                    flux[k, i] *= share
                if left > 0.0:
                    flux[k, i - 1] *= share


@kernel
def drains(held, mass, steps):
    """Whether some node would lose more than MOST of what it holds."""
    last, found = held.size - 1, 0
    within, out, back = held[1:last], mass[1:], mass[: last - 1]
    for i in range(within.size):
        found += (max(out[i], 0.0) + max(-back[i], 0.0)) * steps > MOST * within[i]
    ends = max(mass[0], 0.0) * steps > MOST * held[0] or max(-mass[last - 1], 0.0) * steps > MOST * held[last]
    return found > 0 or ends


@kernel
def settle(content, state, flux, lo, hi, steps, wall_lo, wall_hi):
    """Move what flows in `steps` steps; an edge with a wall feels the fluid's pressure."""
    for k in range(6):
        row, moved = content[k, lo : hi + 1], flux[k, lo:hi]
        row[0] -= steps * moved[0]
        within, out, back = row[1:-1], moved[1:], moved[:-1]
        for i in range(within.size):
            within[i] -= steps * (out[i] - back[i])
        row[-1] += steps * moved[-1]
    if wall_lo:
        content[1, lo] += steps * state[0, lo] * state[4, lo] * state[6, lo]
    if wall_hi:
        content[1, hi] -= steps * state[0, hi] * state[4, hi] * state[6, hi]


@kernel
def advance(content, state, flux, fields, own, nodes, lo, hi, half, floor, charge, steps, edges, made):
    """`steps` steps at once: `own` becomes the fluid's current [3, cells + 3], in the places of the box's.

    `edges` holds for either end the volume of its node in dual cells (.5 or 1) and whether it is a wall.
    """
    for k in range(5):
        copy(nodes[k, lo : hi + 1], fields[k, lo : hi + 1], 1.0)
    kick(content, state, fields, lo, hi, half * steps, floor, made)
    for k in range(1, 3):
        mine, n = own[k, lo + 1 : hi + 2], state[0, lo : hi + 1]
        u, slowed = state[k + 1, lo : hi + 1], state[6, lo : hi + 1]
        for i in range(n.size):
            mine[i] = charge * n[i] * u[i] * slowed[i]
    state[0, lo] /= edges[0, 0]
    state[0, hi] /= edges[1, 0]
    fluxes(state, flux, lo, hi)
    limit(content, flux, lo, hi, steps)
    settle(content, state, flux, lo, hi, steps, edges[0, 1] != 0.0, edges[1, 1] != 0.0)
    copy(flux[0, lo:hi], own[0, lo + 1 : hi + 1], charge)


@kernel
def copy(source, target, factor):
    """A row times a factor into another."""
    for i in range(source.size):
        target[i] = factor * source[i]


@kernel
def add(own, current, lo, hi):
    """Add the fluid's current to the box's."""
    for k in range(3):
        row, mine = current[k, lo + 1 : hi + 2], own[k, lo + 1 : hi + 2]
        for i in range(row.size):
            row[i] += mine[i]


@kernel
def work(content, state, flux, along, current, lo, hi, kick, dt):
    """Give the nodes beside each face the work of Ex on its current, before the fields advance.

    `current` holds all species; `kick` is q dt / m. W / n is 2 gamma dgamma, so each node takes half of
    2 gamma q E flux dt / m.
    """
    field, total, mass = along[lo:hi], current[0, lo + 1 : hi + 1], flux[0, lo:hi]
    left, right = content[4, lo:hi], content[4, lo + 1 : hi + 1]
    gamma, other = state[8, lo:hi], state[8, lo + 1 : hi + 1]
    gained = np.empty(mass.size)
    for i in range(mass.size):
        gained[i] = kick * (field[i] - 0.5 * dt * total[i]) * mass[i]
    for i in range(mass.size):
        left[i] += gained[i] * gamma[i]
    for i in range(mass.size):
        right[i] += gained[i] * other[i]


def edges_of(lo_volume: float, lo_wall: bool, hi_volume: float, hi_wall: bool) -> np.ndarray:
    """The edges as `advance` reads them."""
    return np.array([[lo_volume, float(lo_wall)], [hi_volume, float(hi_wall)]])
