"""Kernels of the tail scores: choose a column's knots, find values among them, add up the columns' parts.

A column has k knots, sorted and distinct and then one infinite, and 2k + 1 places: place 2i is the gap
before knot i, place 2i + 1 is knot i itself, place 2k lies above all. A guide divides the column's middle
range into cells and says how many knots lie before each, so that few knots need to be compared.
"""

import numpy as np

from pynomaly.detection.algorithms.kernels import Codes, Floats, Ints, kernel

TILE = 2_048
ONE, TWO = np.uint32(1), np.uint32(2)


@kernel
def count_below(column: Floats, value: float, low: int, high: int, included: bool) -> int:
    """Count the values of a sorted column below `value`, itself `included` or not; from `low` to `high`."""
    while low < high:
        middle = (low + high) // 2
        if column[middle] < value or (included and column[middle] == value):
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def find_knots(column: Floats, ranks: Ints, knots: Floats, left: Floats, right: Floats) -> int:
    """Write the distinct values at `ranks` of a sorted column, and how many values each place has up to it
    and from it on; give how many knots there are.

    `knots` has room for every rank, `left` and `right` for 2 * ranks + 1 places.
    """
    n, count, end = len(column), 0, 0
    left[0] = 0.0
    for rank in ranks:
        if rank < end:
            continue  # equal to the knot before
        value = column[rank]
        begin = rank
        if rank > end and column[rank - 1] == value:
            begin = count_below(column, value, end, rank, False)
        end = rank + 1
        if end < n and column[end] == value:
            end = count_below(column, value, end, n, True)
        knots[count] = value
        left[2 * count + 1], left[2 * count + 2] = end, end
        right[2 * count], right[2 * count + 1] = n - begin, n - begin
        count += 1
    right[2 * count] = 0.0
    return count


@kernel
def cell_of(x: float, low: float, inverse: float, cells: int) -> int:
    """Give the cell of a value: never smaller for a larger value."""
    place = (0.5 * x - 0.5 * low) * inverse
    place = place if place > 0.0 else 0.0
    return int(place if place < cells else cells - 0.5)


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
def find_parts(
    values: Floats, own: tuple[Floats, Codes, Floats], low: float, inverse: float, out: Floats
) -> None:
    """Find the place of each of a column's values and write its part; `own`: knots, guide, parts.

    Knots of later cells are greater than the value, so that two may be compared without asking where the
    cell ends: that is what most cells need, and a processor need not guess.
    """
    knots, guide, part = own
    cells = len(guide) - 1
    for r in range(len(values)):
        x = values[r]
        cell = np.uint32(cell_of(x, low, inverse, cells))
        first, last = np.uint32(guide[cell]), np.uint32(guide[cell + np.uint32(1)])
        while last - first > TWO:
            middle = (first + last) // TWO
            if knots[middle] < x:
                first = middle + ONE
            else:
                last = middle
        first += np.uint32(knots[first] < x)
        first += np.uint32(knots[first] < x)
        out[r] = part[TWO * first + np.uint32(knots[first] == x)]


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
    share = np.empty(TILE)
    for first in range(begin, end, TILE):
        last = min(first + TILE, end)
        for j in range(X.shape[1]):
            own = (
                knots[starts[j, 0] : starts[j + 1, 0]],
                guides[starts[j, 1] : starts[j + 1, 1]],
                parts[starts[j, 2] : starts[j + 1, 2]],
            )
            find_parts(X[first:last, j], own, low[j], inverse[j], share)
            for r in range(last - first):
                totals[first + r] += share[r]
            if shares.shape[0] > 0:
                for r in range(last - first):
                    shares[first + r, j] = share[r]


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
