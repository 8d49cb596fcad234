"""A result's charts laid out for a template: places in percent of the frame, and words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pynomaly.server.detections.charts import Points, Quality, Timeline
from pynomaly.server.detections.search import Ranked
from pynomaly.server.detections.words import cut
from pynomaly.server.web import chart, formats
from pynomaly.server.web.chart import Axis, Line
from pynomaly.server.web.language import gettext as _

SHADES = 4
"""Tones of the rows below the threshold: the higher the score, the darker."""
MARKED = 150
"""So many anomalies are marks that lead to their row; further ones are dots."""
LISTED = 20
Tip = tuple[float, float, str]


@dataclass(frozen=True)
class Mark:
    """An anomaly in a scatter plot."""

    x: float
    y: float
    rank: int
    row: int
    text: str
    cells: tuple[str, str]


@dataclass(frozen=True)
class Scatter:
    """Rows as dots in `shades`, anomalies as marks, and what a pointer is told."""

    x: Axis
    y: Axis
    shades: tuple[str, ...]
    marks: tuple[Mark, ...]
    further: str
    tips: tuple[Tip, ...]
    n_points: int
    n_anomalies: int
    is_projection: bool

    @property
    def squeezed(self) -> bool:
        """Whether far-out rows are drawn nearer than they are."""
        return self.x.squeezed or self.y.squeezed


@dataclass(frozen=True)
class Bucket:
    """One bar of a timeline."""

    x: float
    width: float
    y: float
    height: float
    begins: str
    rows: int
    highest: float
    anomalies: int


@dataclass(frozen=True)
class Course:
    """A timeline: the highest score of each span of time, anomalies marked."""

    column: str
    span: str
    x: Axis
    y: Axis
    buckets: tuple[Bucket, ...]
    tips: tuple[Tip, ...]
    most: Bucket

    @property
    def n_anomalies(self) -> int:
        """How many there are in all."""
        return sum(bucket.anomalies for bucket in self.buckets)


@dataclass(frozen=True)
class Curve:
    """One curve with the place of the threshold on it."""

    line: Line
    here: tuple[float, float]
    tips: tuple[Tip, ...]
    x: Axis
    y: Axis


@dataclass(frozen=True)
class Agreement:
    """How a result agrees with labels."""

    column: str
    true_found: int
    false_found: int
    missed: int
    true_passed: int
    roc: Curve
    precision_recall: Curve

    @property
    def precision(self) -> float | None:
        """Share of the flagged rows that are labelled anomalies."""
        flagged = self.true_found + self.false_found
        return self.true_found / flagged if flagged else None

    @property
    def recall(self) -> float:
        """Share of the labelled anomalies that are flagged."""
        return self.true_found / (self.true_found + self.missed)

    @property
    def f1(self) -> float:
        """Harmonic mean of both."""
        return 2 * self.true_found / (2 * self.true_found + self.false_found + self.missed)


def scatter(found: Points, of: Ranked) -> Scatter:
    """Lay out points."""
    times = {column["name"] for column in of.columns if column["type"] == "timestamp"}
    titles = [_component(place, axis) for place, axis in enumerate(found.axes, 1)] or [found.x, found.y]
    axes = [
        chart.axis([point[at] for point in found.points], title, is_time=name in times)
        for at, title, name in zip((3, 4), titles, (found.x, found.y), strict=True)
    ]
    x, y = axes
    placed = [(*point[:3], x.at(point[3]), round(100 - y.at(point[4]), 2)) for point in found.points]
    flagged = [point for point in placed if point[0] <= of.n_anomalies]
    texts = {point[0]: _tip(point) for point in placed}
    marks = tuple(
        Mark(left, top, rank, row, texts[rank], _cells(point, axes))
        for (rank, row, _score, left, top), point in zip(flagged[:MARKED], found.points, strict=False)
    )
    return Scatter(
        x=x,
        y=y,
        shades=tuple(chart.dots(shade) for shade in _shades([p for p in placed if p[0] > of.n_anomalies])),
        marks=marks,
        further=chart.dots([point[3:] for point in flagged[MARKED:]]),
        tips=tuple((point[3], point[4], texts[point[0]]) for point in placed),
        n_points=len(placed),
        n_anomalies=len(flagged),
        is_projection=bool(found.axes),
    )


def _tip(point: Sequence[Any]) -> str:
    return _("Row %(row)s: score %(score)s") % {
        "row": formats.count(point[1]),
        "score": formats.number(point[2]),
    }


def _cells(point: Sequence[Any], axes: Sequence[Axis]) -> tuple[str, str]:
    return axes[0].text(point[3]), axes[1].text(point[4])


def _component(place: int, axis: dict[str, Any]) -> str:
    return _("Component %(n)s: %(share)s of the variance, above all %(columns)s") % {
        "n": place,
        "share": formats.percent(axis["share"], 2),
        "columns": ", ".join(cut(name, 30) for name in axis["columns"]),
    }


def _shades(points: Sequence[Sequence[Any]]) -> list[list[tuple[float, float]]]:
    """Part dots by score: equally wide classes, the lowest first."""
    shades: list[list[tuple[float, float]]] = [[] for _shade in range(SHADES)]
    if points:
        high, low = points[0][2], points[-1][2]
        width = (high - low) / SHADES or 1.0
        for point in points:
            shades[min(SHADES - 1, int((point[2] - low) / width))].append((point[3], point[4]))
    return shades


def course(found: Timeline) -> Course:
    """Lay out a timeline."""
    starts = [bucket[0] for bucket in found.buckets]
    x = chart.axis([*starts, starts[-1] + found.seconds], found.column, is_time=True)
    y = chart.axis([0.0, *(bucket[2] for bucket in found.buckets)], _("highest score"), plain=True)
    ground = y.at(max(0.0, y.low))
    buckets = []
    for start, rows, highest, anomalies in found.buckets:
        left, right, top = x.at(start), x.at(start + found.seconds), y.at(highest)
        size = (round(right - left, 2), round(100 - max(top, ground), 2), round(abs(top - ground), 2))
        begins = formats.moment(chart.moment(start))
        buckets.append(Bucket(left, *size, begins, rows, highest, anomalies))
    tips = tuple((round(one.x + one.width / 2, 2), one.y, _course_tip(one)) for one in buckets)
    most = max(buckets, key=lambda one: (one.anomalies, one.highest))
    return Course(found.column, _span(found.seconds), x, y, tuple(buckets), tips, most)


def _span(seconds: float) -> str:
    """Write how long a bucket is."""
    for size, text in ((86_400, _("%(n)s days")), (3_600, _("%(n)s hours")), (60, _("%(n)s minutes"))):
        if seconds >= 2 * size:
            return text % {"n": formats.number(seconds / size, 3)}
    return formats.duration(seconds)


def _course_tip(bucket: Bucket) -> str:
    return _("From %(begins)s: %(rows)s rows, highest score %(score)s, anomalies: %(n)s") % {
        "begins": bucket.begins,
        "rows": formats.count(bucket.rows),
        "score": formats.number(bucket.highest),
        "n": formats.count(bucket.anomalies),
    }


def agreement(found: Quality) -> Agreement:
    """Lay out both curves and count what is right and wrong at the threshold."""
    positive, negative = found.n_positive, found.n_rows - found.n_positive
    flat = chart.shares(_("false alarms among the normal rows")), chart.shares(_("anomalies found (recall)"))
    told = chart.shares(_("anomalies found (recall)")), chart.shares(_("right among the flagged (precision)"))
    ends = ((0, 0), *found.curve, (found.n_rows, positive))
    here = (found.n_flagged, found.found)

    def rates(rank: int, right: int) -> tuple[float, float]:
        return (rank - right) / (negative or 1), right / positive

    def gains(rank: int, right: int) -> tuple[float, float]:
        return right / positive, right / rank if rank else 1.0

    roc = _curve([rates(*one) for one in ends], rates(*here), flat)
    pr = _curve([gains(*one) for one in found.curve], gains(*here), told)
    return Agreement(found.column, *found.confusion, roc, pr)


def _curve(
    points: Sequence[tuple[float, float]], here: tuple[float, float], axes: tuple[Axis, Axis]
) -> Curve:
    x, y = axes

    def place(point: tuple[float, float]) -> tuple[float, float]:
        return x.at(point[0]), round(100 - y.at(point[1]), 2)

    tips = tuple(
        (*place(point), f"{x.title} {formats.percent(point[0])}, {y.title} {formats.percent(point[1])}")
        for point in points
    )
    return Curve(Line(tuple(place(point) for point in points)), place(here), tips, x, y)
