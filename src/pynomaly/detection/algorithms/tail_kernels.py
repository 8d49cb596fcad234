"""Kernels of the tail scores: find a value among a column's knots, add up the columns' parts.

A column has k knots, sorted and distinct, and 2k + 1 places: place 2i is the gap before knot i, place
2i + 1 is knot i itself, place 2k lies above all. A guide divides the column's middle range into cells and
says how many knots lie before each, so that a few knots only need to be compared.
"""

from pynomaly.detection.algorithms.kernels import Codes, Floats, Ints, kernel

TILE = 8_192


@kernel
def cell_of(x: float, low: float, inverse: float, cells: int) -> int:
    """Give the cell of a value: never smaller for a larger value."""
    place = (0.5 * x - 0.5 * low) * inverse
    if place >= cells:
        return cells - 1
    return int(place) if place > 0.0 else 0


@kernel
def fill_guide(knots: Floats, low: float, inverse: float, guide: Codes) -> None:
    """Write the number of knots before each cell, and before the end: (cells + 1,)."""
    cells, cell = len(guide) - 1, 0
    for i in range(len(knots)):
        own = cell_of(knots[i], low, inverse, cells)
        while cell <= own:
            guide[cell] = i
            cell += 1
    guide[cell:] = len(knots)


@kernel
def place_of(x: float, knots: Floats, guide: Codes, low: float, inverse: float) -> int:
    """Find the place of one value."""
    cell = cell_of(x, low, inverse, len(guide) - 1)
    first, last = guide[cell], guide[cell + 1]
    while first < last:
        middle = (first + last) // 2
        if knots[middle] < x:
            first = middle + 1
        else:
            last = middle
    if first < len(knots) and knots[first] == x:
        return int(2 * first + 1)
    return int(2 * first)


@kernel
def add_tails(
    X: Floats,
    knots: Floats,
    guides: Codes,
    starts: Ints,
    low: Floats,
    inverse: Floats,
    parts: Floats,
    shares: Floats,
    totals: Floats,
    begin: int,
    end: int,
) -> None:
    """Write the sum of each row's parts; and each column's part, if `shares` is not empty.

    `starts`, (d + 1, 3), says where each column's knots, guide and parts begin.
    """
    totals[begin:end] = 0.0
    for first in range(begin, end, TILE):
        last = min(first + TILE, end)
        for j in range(X.shape[1]):
            own = knots[starts[j, 0] : starts[j + 1, 0]]
            guide = guides[starts[j, 1] : starts[j + 1, 1]]
            part = parts[starts[j, 2] : starts[j + 1, 2]]
            for r in range(first, last):
                share = part[place_of(X[r, j], own, guide, low[j], inverse[j])]
                totals[r] += share
                if shares.shape[0] > 0:
                    shares[r, j] = share


@kernel
def third_moment(column: Floats, unit: float) -> float:
    """Give the third central moment of values in units of `unit`, which none exceeds."""
    mean, third = 0.0, 0.0
    for x in column:
        mean += x / unit / len(column)
    for x in column:
        gap = x / unit - mean
        third += gap * gap * gap
    return third / len(column)
