"""One step of a fluid: kick, limited flux, and the work of Ex.

Six moments on the nodes (dual cells): n, n u_x, n u_y, n u_z, W = n (<u_x>^2 + T) and P = n T_across, with T
the variance of u = gamma v per axis. The heat flux is zero, as of a Gaussian. Rusanov fluxes of first order
with a signal speed of at most c: with dt = dx no node can lose more than it holds, except a half node at an
edge, which `limit` sees to. J_x at a face is the charge times its mass flux, so Gauss's law holds to
round-off.

Ex does its work where that current flows, by the mean of the field before and after the step: the fluid gains
what the field loses. (Working with the field before the step creates dt J^2 / 2.)
"""

import math

import numpy as np

from lineshaft.plasma.pic.compile import kernel

MOST = 0.9  # share of its content that a node may lose in one step
TINY = 1e-30


@kernel
def kick(content, state, nodes, lo, hi, half, floor, made):
    """Turn the momenta about the fields on the nodes; fill `state`: n, u_x, u_y, u_z, T, T_across, 1 / gamma.

    Where W leaves no room for T = floor the drift is cut and W kept; `made` counts the energy that even
    a fluid at rest lacks. `half` is q dt / 2m.
    """
    n, size = content[0, lo : hi + 1], hi + 1 - lo
    m1, m2, m3 = content[1, lo : hi + 1], content[2, lo : hi + 1], content[3, lo : hi + 1]
    energy, across = content[4, lo : hi + 1], content[5, lo : hi + 1]
    s0, s1, s2, s3 = state[0, lo:], state[1, lo:], state[2, lo:], state[3, lo:]
    s4, s5, s6 = state[4, lo:], state[5, lo:], state[6, lo:]
    e0, e1, e2 = nodes[0, lo:], nodes[1, lo:], nodes[2, lo:]
    b1, b2 = nodes[3, lo:], nodes[4, lo:]
    added = 0.0
    for i in range(size):
        inverse = 1.0 / max(n[i], TINY)
        a, b, c = m1[i] * inverse, m2[i] * inverse, m3[i] * inverse
        mean = energy[i] * inverse
        heat = mean - a * a
        cold = heat < floor
        slow = math.copysign(math.sqrt(max(mean - floor, 0.0)), a)
        added += n[i] * max(floor - mean, 0.0)
        a = slow if cold else a
        heat = floor if cold else heat
        beside = max(across[i] * inverse, floor)
        before = a * a
        ex, ey, ez, by, bz = e0[i] * half, e1[i] * half, e2[i] * half, b1[i] * half, b2[i] * half
        a += ex
        b += ey
        c += ez
        square = 1.0 + 3.0 * heat + 2.0 * beside
        slowed = 1.0 / math.sqrt(square + a * a + b * b + c * c)
        ty, tz = by * slowed, bz * slowed
        scale = 2.0 / (1.0 + ty * ty + tz * tz)
        turned, left, right = a + b * tz - c * ty, b - a * tz, c + a * ty
        rotation = a
        a += left * tz * scale - right * ty * scale
        b -= turned * tz * scale
        c += turned * ty * scale
        rotation = a * a - rotation * rotation
        a += ex
        b += ey
        c += ez
        s0[i], s1[i], s2[i], s3[i], s4[i], s5[i] = n[i], a, b, c, heat, beside
        s6[i] = 1.0 / math.sqrt(square + a * a + b * b + c * c)
        m1[i], m2[i], m3[i] = n[i] * a, n[i] * b, n[i] * c
        energy[i] = n[i] * (before + rotation + heat)
        across[i] = n[i] * beside
    made[0] += added


@kernel
def fluxes(state, flux, lo, hi):
    """Rusanov fluxes through the faces lo..hi - 1; face i lies between the nodes i and i + 1.

    Momenta across and P go with the mass, from where it comes.
    """
    size = hi - lo
    n, a, b, c = state[0, lo : hi + 1], state[1, lo : hi + 1], state[2, lo : hi + 1], state[3, lo : hi + 1]
    heat, beside, slowed = state[4, lo : hi + 1], state[5, lo : hi + 1], state[6, lo : hi + 1]
    f0, f1, f2 = flux[0, lo:], flux[1, lo:], flux[2, lo:]
    f3, f4, f5 = flux[3, lo:], flux[4, lo:], flux[5, lo:]
    for i in range(size):
        left, right = a[i] * slowed[i], a[i + 1] * slowed[i + 1]
        fast = max(
            abs(left) + math.sqrt(3.0 * heat[i]) * slowed[i],
            abs(right) + math.sqrt(3.0 * heat[i + 1]) * slowed[i + 1],
        )
        speed = min(fast, 1.0)
        l0, r0 = n[i] * left, n[i + 1] * right
        push, pull = n[i] * heat[i] * slowed[i], n[i + 1] * heat[i + 1] * slowed[i + 1]
        w_left, w_right = n[i] * (a[i] * a[i] + heat[i]), n[i + 1] * (a[i + 1] * a[i + 1] + heat[i + 1])
        mass = 0.5 * (l0 + r0) - 0.5 * speed * (n[i + 1] - n[i])
        f0[i] = mass
        f1[i] = 0.5 * (l0 * a[i] + push + r0 * a[i + 1] + pull) - 0.5 * speed * (
            n[i + 1] * a[i + 1] - n[i] * a[i]
        )
        out, back = max(mass, 0.0), min(mass, 0.0)
        f2[i] = out * b[i] + back * b[i + 1]
        f3[i] = out * c[i] + back * c[i + 1]
        f5[i] = out * beside[i] + back * beside[i + 1]
        f4[i] = 0.5 * (
            (l0 * a[i] + 3.0 * push) * a[i] + (r0 * a[i + 1] + 3.0 * pull) * a[i + 1]
        ) - 0.5 * speed * (w_right - w_left)


@kernel
def limit(content, flux, lo, hi, steps):
    """Scale the fluxes out of a node that would lose more than MOST of its content in `steps` steps."""
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
def settle(content, state, flux, lo, hi, steps, wall_lo, wall_hi):
    """Move what flows in `steps` steps; an edge with a wall feels the fluid's pressure."""
    for k in range(6):
        row, moved = content[k], flux[k]
        row[lo] -= steps * moved[lo]
        for i in range(lo + 1, hi):
            row[i] -= steps * (moved[i] - moved[i - 1])
        row[hi] += steps * moved[hi - 1]
    if wall_lo:
        content[1, lo] += steps * state[0, lo] * state[4, lo] * state[6, lo]
    if wall_hi:
        content[1, hi] -= steps * state[0, hi] * state[4, hi] * state[6, hi]


@kernel
def advance(content, state, flux, own, nodes, lo, hi, half, floor, charge, steps, edges, made):
    """`steps` steps at once: `own` becomes the fluid's current [3, cells + 3], in the places of the box's.

    `edges` holds for either end the volume of its node in dual cells (.5 or 1) and whether it is a wall.
    """
    kick(content, state, nodes, lo, hi, half * steps, floor, made)
    for i in range(lo, hi + 1):
        own[1, i + 1] = charge * state[0, i] * state[2, i] * state[6, i]
        own[2, i + 1] = charge * state[0, i] * state[3, i] * state[6, i]
    state[0, lo] /= edges[0, 0]
    state[0, hi] /= edges[1, 0]
    fluxes(state, flux, lo, hi)
    limit(content, flux, lo, hi, steps)
    settle(content, state, flux, lo, hi, steps, edges[0, 1] != 0.0, edges[1, 1] != 0.0)
    for i in range(lo, hi):
        own[0, i + 1] = charge * flux[0, i]


@kernel
def add(own, current, lo, hi):
    """Add the fluid's current to the box's."""
    for k in range(3):
        row, mine = current[k], own[k]
        for i in range(lo + 1, hi + 2):
            row[i] += mine[i]


@kernel
def work(content, state, flux, along, current, lo, hi, kick, dt):
    """Give the nodes beside each face the work of Ex on its current, before the fields advance.

    `current` holds all species; `kick` is q dt / m. W / n is 2 gamma dgamma, so each node takes half of
    2 gamma q E flux dt / m.
    """
    energy, slowed, mass, total = content[4], state[6], flux[0], current[0]
    for i in range(lo, hi):
        mean = along[i] - 0.5 * dt * total[i + 1]
        gained = kick * mean * mass[i]
        energy[i] += gained / slowed[i]
        energy[i + 1] += gained / slowed[i + 1]


def edges_of(lo_volume: float, lo_wall: bool, hi_volume: float, hi_wall: bool) -> np.ndarray:
    """The edges as `advance` reads them."""
    return np.array([[lo_volume, float(lo_wall)], [hi_volume, float(hi_wall)]])
