"""Lines over a few moments, as an SVG picture: shares between 0 and 1, in percent of the frame."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mark:
    """One value: where it is, and what it is, for a tooltip."""

    x: float
    y: float
    title: str


@dataclass(frozen=True, slots=True)
class Line:
    """A series' values; neighbours are joined."""

    name: str
    marks: list[Mark]

    @property
    def strokes(self) -> list[tuple[Mark, Mark]]:
        """Each value with the next one."""
        return list(zip(self.marks, self.marks[1:], strict=False))


def line(name: str, values: Sequence[float | None], titles: Sequence[str]) -> Line:
    """Lay a series out over equal steps, from left to right; where it has no value there is no mark.

    >>> [(mark.x, mark.y) for mark in line("AUC", [0.5, None, 1.0], ["one", "two", "three"]).marks]
    [(0.0, 50.0), (100.0, 0.0)]
    """
    last = max(1, len(values) - 1)
    alone = len(values) == 1
    marks = [
        Mark(50.0 if alone else round(100 * place / last, 2), round(100 * (1 - value), 2), title)
        for place, (value, title) in enumerate(zip(values, titles, strict=True))
        if value is not None
    ]
    return Line(name, marks)
