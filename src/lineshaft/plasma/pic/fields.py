"""Fields on the grid: transverse waves that move exactly one cell a step, and Ex from the current.

With dt = dx (and c = 1) the combinations F+- = Ey +- Bz and G+- = Ez -+ By obey (d/dt +- d/dx) F+- = -Jy,
and the same for G with Jz. Their transport is a shift by one node, so vacuum is dispersion-free to the last
bit, an open end needs no absorbing layer, and a laser is a value written at either end.

Waves live on the nodes 0..n, Ex on the cells (between the nodes). A periodic box identifies node n with 0.
The grid is float64 in any precision of the particles: it costs little and keeps Gauss's law.
"""

from typing import NamedTuple

import numpy as np

from lineshaft.plasma.pic.compile import kernel

REACH = 96  # nodes beyond the light cone that the clouds of its particles may touch


class Fields(NamedTuple):
    """float64 fields in units of m_e c omega0 / e; `nodes` is the particles' copy in their precision."""

    right_y: np.ndarray  # [n + 1], F+ = Ey + Bz, moving to the right
    left_y: np.ndarray  # [n + 1], F- = Ey - Bz, moving to the left
    right_z: np.ndarray  # [n + 1], G+ = Ez - By
    left_z: np.ndarray  # [n + 1], G- = Ez + By
    along: np.ndarray  # [n], Ex
    current: np.ndarray  # [3, n + 3], see `cpu.merge`
    nodes: np.ndarray  # real[5, n + 1]: Ex, Ey, Ez, By, Bz
    flux: np.ndarray  # [2], field energy that came in and went out through the ends, per area
    external: np.ndarray  # [5, n + 1], fields that particles see besides, of sources outside the box


def build(cells: int, real: np.dtype) -> Fields:
    """Empty fields for a box of so many cells."""
    waves = [np.zeros(cells + 1) for _ in range(4)]
    current, nodes = np.zeros((3, cells + 3)), np.zeros((5, cells + 1), real)
    return Fields(*waves, np.zeros(cells), current, nodes, np.zeros(2), np.zeros((5, cells + 1)))


@kernel
def fold(current):
    """Make the current of a periodic box whole: its ends overlap."""
    n = current.shape[1] - 3
    current[0, n] += current[0, 0]
    current[0, 1] += current[0, n + 1]
    for k in range(1, 3):
        current[k, n] += current[k, 0]
        current[k, 2] += current[k, n + 2]
        current[k, 1] += current[k, n + 1]
        current[k, n + 1] = current[k, 1]


@kernel
def mirror(current, walls):
    """Fold back what particles carried beyond a wall that turned them back.

    Their images move the other way.
    """
    n = current.shape[1] - 3
    for end in range(2):
        if walls[end, 0] > 0:
            inner, outer = (1, 0) if end == 0 else (n, n + 1)
            current[0, inner] -= current[0, outer]
            inner, outer = (2, 0) if end == 0 else (n, n + 2)
            for k in range(1, 3):
                current[k, inner] += current[k, outer]


@kernel
def transport(right, left, current, dt, from_left, from_right, periodic, flux, until):
    """Move both waves of one polarisation by a cell, with half the current of either node on the way.

    Beyond the node `until` there is nothing.
    """
    n = right.size - 1
    half, gone_right, gone_left = dt / 2, right[n], left[0]
    for i in range(until, 0, -1):
        right[i] = right[i - 1] - half * (current[i + 1] + current[i])
    for i in range(until):
        left[i] = left[i + 1] - half * (current[i + 1] + current[i + 2])
    right[0], left[n] = (right[n], left[0]) if periodic else (from_left, from_right)
    if not periodic:
        flux[0] += dt / 4 * (from_left**2 + from_right**2)
        flux[1] += dt / 4 * (gone_right**2 + gone_left**2)


@kernel
def advance(fields, dt, entering, walls, reached):
    """One step of all fields with the current just deposited, which is cleared.

    `entering` holds the waves that come in: y and z from the left, then from the right. `walls`: see
    `cpu.deliver`. Nothing has happened beyond the cell `reached` and the clouds that reach over it.
    """
    current, along, periodic = fields.current, fields.along, walls[0, 0] < 0
    if periodic:
        fold(current)
    else:
        mirror(current, walls)
    n = min(along.size, reached + REACH)
    through = current[0, 1 : n + 1]
    for i in range(n):
        along[i] -= dt * through[i]
    right, left = fields.right_y, fields.left_y
    transport(right, left, current[1], dt, entering[0], entering[2], periodic, fields.flux, n)
    right, left = fields.right_z, fields.left_z
    transport(right, left, current[2], dt, entering[1], entering[3], periodic, fields.flux, n)
    current[:, : n + 3] = 0
    refresh(fields, periodic, n)


@kernel
def refresh(fields, periodic, until):
    """Recompute the particles' copy of the fields on the nodes, as far as the node `until`."""
    along, nodes, n = fields.along, fields.nodes, fields.along.size
    before, after, within = along[: until - 1], along[1:until], nodes[0, 1:until]
    for i in range(within.size):
        within[i] = (before[i] + after[i]) / 2
    nodes[0, 0] = (along[n - 1] + along[0]) / 2 if periodic else along[0]
    nodes[0, n] = nodes[0, 0] if periodic else along[n - 1]
    some = until + 1
    halve(fields.right_y, fields.left_y, nodes[1, :some], 1.0)
    halve(fields.right_z, fields.left_z, nodes[2, :some], 1.0)
    halve(fields.left_z, fields.right_z, nodes[3, :some], -1.0)
    halve(fields.right_y, fields.left_y, nodes[4, :some], -1.0)
    for k in range(5):
        row, external = nodes[k, :some], fields.external[k]
        for i in range(some):
            row[i] += external[i]


@kernel
def halve(one, other, row, sign):
    """Half the sum, or with sign -1 the difference, of two waves."""
    for i in range(row.size):
        row[i] = (one[i] + sign * other[i]) / 2


def electrostatic(charge: np.ndarray, dx: float, periodic: bool) -> np.ndarray:
    """Ex [n] on the cells of a charge density [n + 1] on the nodes: Poisson's equation in one dimension.

    An open box has half of its charge's flux at either side; a periodic one must be neutral, and has no mean
    field.
    """
    if not periodic:
        return dx * (np.cumsum(charge)[:-1] - charge.sum() / 2)
    along = dx * np.cumsum(charge[:-1])
    if abs(along[-1]) > 1e-9 * max(1e-300, dx * float(np.abs(charge).sum())):
        raise ValueError(
            f"a periodic box must be neutral, but holds a net charge of {along[-1]:.3g} e n_c "
            f"c/omega0 per area: "
            "add the other charges, or ask for a background"
        )
    return along - along.mean()


def energy(fields: Fields, dx: float, periodic: bool) -> float:
    """Field energy per area; a periodic box counts the node it shares once."""
    until = -1 if periodic else None
    waves = sum(float((wave[:until] ** 2).sum()) for wave in fields[:4])
    return dx * (waves / 4 + float((fields.along**2).sum()) / 2)
