"""Shares of cells in rational numbers: floats are taken as the numbers that they are, and nothing is rounded."""

from __future__ import annotations

import math
from fractions import Fraction


def shares(polygon, side):
    """Cells (row, column), counted from the origin southward and eastward, and the share of each that a polygon covers, a Fraction."""
    side = Fraction(side)
    found = {}
    for part in getattr(polygon, "geoms", [polygon]):
        rings = [(part.exterior, 1), *((hole, -1) for hole in part.interiors)]
        for ring, sign in rings:
            points = [(Fraction(x) / side, -Fraction(y) / side) for x, y in ring.coords[:-1]]
            for row, strip in _cut(points, 1):
                for column, piece in _cut(strip, 0):
                    area = abs(_area(piece))
                    found[row, column] = found.get((row, column), Fraction(0)) + sign * area
    return {cell: share for cell, share in found.items() if share}


def _cut(points, axis):
    """Yield the pieces of a ring between whole numbers along an axis; pieces stay joined by seams that enclose nothing."""
    places = [point[axis] for point in points]
    for first in range(math.floor(min(places, default=0)), math.ceil(max(places, default=0))):
        yield first, _beyond(_beyond(points, axis, first, 1), axis, first + 1, -1)


def _beyond(points, axis, border, sign):
    """Cut a ring by one side (Sutherland and Hodgman)."""
    kept = []
    for i, b in enumerate(points):
        a = points[i - 1]
        before, after = sign * (a[axis] - border), sign * (b[axis] - border)
        if before * after < 0:
            t = before / (before - after)
            kept.append(tuple(p + t * (q - p) for p, q in zip(a, b, strict=True)))
        if after >= 0:
            kept.append(b)
    return kept


def _area(points):
    return sum(
        (a[0] * b[1] - b[0] * a[1] for a, b in zip(points, points[1:] + points[:1], strict=True)),
        Fraction(0),
    ) / 2  # fmt: skip
