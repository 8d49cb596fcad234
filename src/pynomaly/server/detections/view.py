"""Which rows of a result somebody looks at, and in which order, as an address holds it."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from pynomaly.errors import BadValue

Only = Literal["all", "anomalies", "normal"]
Said = Literal["", "any", "none", "anomaly", "normal", "unsure"]
Operator = Literal["eq", "ne", "lt", "le", "ge", "gt", "contains", "missing", "present"]
OPERATORS: tuple[Operator, ...] = get_args(Operator)
NO_VALUE: tuple[Operator, ...] = ("missing", "present")
MOST_CONDITIONS = 10
MOST_VALUE = 1000
COLUMN = "column:"
"""How the name of a sort begins that goes by a column of the dataset."""
SORTS = ("-score", "score", "row", "-row")


@dataclass(frozen=True, slots=True)
class Condition:
    """What a column's cell must be; `value` is as it was typed, and empty for `missing` and `present`."""

    column: str
    operator: Operator
    value: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """All filters (what is None or empty does not count) and the sort."""

    sort: str = "-score"
    only: Only = "all"
    score_from: float | None = None
    score_to: float | None = None
    p_to: float | None = None
    verdict: Said = ""
    reason: str = ""
    where: tuple[Condition, ...] = ()

    @property
    def filtered(self) -> bool:
        """Whether it leaves rows out."""
        return self != View(sort=self.sort)

    def query(self) -> list[tuple[str, str]]:
        """Write it as the parameters of an address; what is as it always is stays away."""
        fresh = View()
        pairs: list[tuple[str, Any]] = [
            (name, getattr(self, name)) for name in _SINGLE if getattr(self, name) != getattr(fresh, name)
        ]
        if self.where:
            told = [[one.column, one.operator, one.value] for one in self.where]
            pairs.append(("where", json.dumps(told, ensure_ascii=False, separators=(",", ":"))))
        return [(name, repr(value) if isinstance(value, float) else value) for name, value in pairs]


_SINGLE = ("sort", "only", "score_from", "score_to", "p_to", "verdict", "reason")


def read(given: Mapping[str, str]) -> View:
    """Read a view from parameters; an empty one is as if it were not there.

    Raises:
        BadValue: one of them makes no sense.
    """
    return View(
        sort=given.get("sort") or "-score",
        only=_one_of(given, "only", get_args(Only), "all"),
        score_from=number(given, "score_from"),
        score_to=number(given, "score_to"),
        p_to=number(given, "p_to"),
        verdict=_one_of(given, "verdict", get_args(Said), ""),
        reason=given.get("reason", ""),
        where=conditions(given.get("where", "")),
    )


def number(given: Mapping[str, str], name: str) -> float | None:
    """Read a finite number, with a decimal comma or point; None when it is empty."""
    written = given.get(name, "").strip()
    if not written:
        return None
    try:
        found = float(
            written.replace(",", ".") if written.count(",") == 1 and "." not in written else written
        )
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise BadValue(f"{name} is a number, not {written[:50]!r}.", pointer=f"#/{name}", place="query")
    return found


def conditions(written: str) -> tuple[Condition, ...]:
    """Read conditions on columns, written as JSON: a list of [column, operator, value].

    >>> conditions('[["amount", "ge", "100"]]')
    (Condition(column='amount', operator='ge', value='100'),)

    Raises:
        BadValue: they are written otherwise, are too many, or one makes no sense.
    """
    if not written:
        return ()
    try:
        given = [(column, operator, *rest) for column, operator, *rest in json.loads(written)]
    except (ValueError, TypeError, RecursionError) as error:
        raise _bad('Conditions are JSON: [["column", "operator", "value"], …].') from error
    if len(given) > MOST_CONDITIONS:
        raise _bad(f"There are at most {MOST_CONDITIONS} conditions.")
    return tuple(condition(one[0], one[1], str(one[2]) if len(one) > 2 else "") for one in given)


def condition(column: Any, operator: Any, value: str) -> Condition:
    """Check one condition; raises BadValue."""
    if not isinstance(column, str) or operator not in OPERATORS:
        raise _bad(f"A condition's operator is one of {', '.join(OPERATORS)}.")
    if len(value) > MOST_VALUE or "\x00" in value:
        raise _bad(f"A condition's value has at most {MOST_VALUE:,} characters, and no NUL.")
    if operator in NO_VALUE:
        value = ""
    elif not value:
        raise _bad(f"Say what {column[:100]} is to be compared with.")
    return Condition(column, operator, value)


def _one_of(given: Mapping[str, str], name: str, allowed: tuple[Any, ...], default: Any) -> Any:
    value = given.get(name) or default
    if value not in allowed:
        listed = ", ".join(one for one in allowed if one)
        raise BadValue(f"{name} is one of {listed}.", pointer=f"#/{name}", place="query")
    return value


def _bad(message: str) -> BadValue:
    return BadValue(message, pointer="#/where", place="query")
