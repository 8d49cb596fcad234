"""Kernel that shares scores out to columns by their gaps."""

from pynomaly.detection.algorithms.kernels import Floats, Ints, kernel


@kernel
def share_out(scores: Floats, rows: Floats, references: Floats, found: Ints, p: float, out: Floats) -> None:
    """Write each row's score, split in proportion to the columns' sums of gaps to the power `p`.

    The gaps are those to the row's references, which `found`, shape (m, k), lists.
    """
    for r in range(len(rows)):
        largest = 0.0
        for i in range(found.shape[1]):
            for j in range(rows.shape[1]):
                largest = max(largest, abs(rows[r, j] - references[found[r, i], j]))
        if largest == 0.0:
            out[r] = 0.0
            continue
        total = 0.0
        for j in range(rows.shape[1]):
            powers = 0.0
            for i in range(found.shape[1]):
                powers += (abs(rows[r, j] - references[found[r, i], j]) / largest) ** p
            out[r, j] = powers
            total += powers
        for j in range(rows.shape[1]):
            out[r, j] *= scores[r] / total
