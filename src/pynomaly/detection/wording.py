"""How the sentence about a row begins: which words it has depends on where the threshold is."""

BECAUSE = "Unusual because"
NO_COLUMN = "Unusual, though no column stands out"
LEAST_USUAL = "Not flagged; least usual is that"
NOTHING = "Not flagged: no column stands out"
STARTS = ((LEAST_USUAL, BECAUSE), (NOTHING, NO_COLUMN))
"""Pairs of how it begins for a row below the threshold, and above it."""


def retold(summary: str, is_anomaly: bool) -> str:
    """Give the sentence as it is when the threshold is elsewhere.

    >>> retold("Not flagged; least usual is that a is 3.", True)
    'Unusual because a is 3.'
    """
    for below, above in STARTS:
        before, after = (below, above) if is_anomaly else (above, below)
        if summary.startswith(before):
            return after + summary.removeprefix(before)
    return summary
