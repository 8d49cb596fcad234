"""What a person looks at on a result's page, all of it in the address: rows, charts, a threshold on trial."""

from dataclasses import dataclass, fields, replace
from typing import Any, Literal, get_args
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from pynomaly.errors import BadValue
from pynomaly.server.detections import view as views
from pynomaly.server.detections.view import View

Chart = Literal["map", "columns", "time", "labels"]
Layout = Literal["cards", "table"]
SIZES: dict[Layout, int] = {"cards": 10, "table": 50}
MOST_PAGE = 10**9
EVERYTHING = View()
_VIEW = {field.name for field in fields(View)}


@dataclass(frozen=True, slots=True)
class Look:
    """The state of the page; what is as it always is does not show in the address."""

    view: View = EVERYTHING
    chart: Chart = "map"
    x: str = ""
    y: str = ""
    layout: Layout = "cards"
    page: int = 1
    threshold: float | None = None
    max_alerts: int | None = None

    @property
    def size(self) -> int:
        """How many rows a page has."""
        return SIZES[self.layout]

    @property
    def tries(self) -> bool:
        """Whether another threshold is tried."""
        return self.threshold is not None or self.max_alerts is not None

    def but(self, **changes: Any) -> "Look":
        """Give the same with some things changed; other rows begin at their first page."""
        of_view = {name: value for name, value in changes.items() if name in _VIEW}
        of_page = {name: value for name, value in changes.items() if name not in _VIEW}
        if of_view or "layout" in of_page:
            of_page.setdefault("page", 1)
        return replace(self, view=replace(self.view, **of_view), **of_page)

    def pairs(self, *without: str) -> list[tuple[str, str]]:
        """Write it as the parameters of an address, but for some."""
        fresh = Look()
        names = ("chart", "x", "y", "layout", "page", "threshold", "max_alerts")
        own = [(name, getattr(self, name)) for name in names if getattr(self, name) != getattr(fresh, name)]
        written = [(name, repr(value) if isinstance(value, float) else str(value)) for name, value in own]
        return [(name, value) for name, value in self.view.query() + written if name not in without]

    @property
    def query(self) -> str:
        """The state as the query of an address."""
        return urlencode(self.pairs())

    def to(self, **changes: Any) -> str:
        """Give the address, relative to the page, that shows this with some things changed.

        >>> Look(page=3).to(sort="row"), Look(page=3).to(chart="time")
        ('?sort=row', '?chart=time&page=3')
        """
        return f"?{urlencode(self.but(**changes).pairs())}"


def read(given: QueryParams) -> Look:
    """Read the state from an address; a form's conditions come as three lists of fields, `col`, `op`, `val`.

    Raises:
        BadValue: a part of it makes no sense.
    """
    typed = list(zip(given.getlist("col"), given.getlist("op"), given.getlist("val"), strict=False))
    added = tuple(views.condition(*one) for one in typed if one[0])
    found = views.read(given)
    budget = views.number(given, "max_alerts")
    score = views.number(given, "threshold") if budget is None else None
    return Look(
        view=replace(found, where=(*found.where, *added)),
        chart=_one_of(given, "chart", get_args(Chart), "map"),
        x=given.get("x", ""),
        y=given.get("y", ""),
        layout=_one_of(given, "layout", get_args(Layout), "cards"),
        page=_whole(given, "page") or 1,
        threshold=score,
        max_alerts=_whole(given, "max_alerts"),
    )


def _whole(given: QueryParams, name: str) -> int | None:
    number = views.number(given, name)
    if number is None:
        return None
    if not (0 <= number <= MOST_PAGE and number.is_integer()):
        raise BadValue(f"{name} is a whole number.", pointer=f"#/{name}", place="query")
    return int(number)


def _one_of(given: QueryParams, name: str, allowed: tuple[Any, ...], default: Any) -> Any:
    value = given.get(name) or default
    if value not in allowed:
        raise BadValue(f"{name} is one of {', '.join(allowed)}.", pointer=f"#/{name}", place="query")
    return value
