"""How the API asks for rows of a result: the filters and the sort of a view as query parameters."""

from typing import Annotated

from fastapi import Depends, Query

from pynomaly.server.detections import view
from pynomaly.server.detections.view import Only, Said, View

Number = Annotated[float | None, Query(allow_inf_nan=False)]


def read_view(
    sort: Annotated[
        str,
        Query(max_length=12_000, description="-score, score, row, -row, or column:NAME and -column:NAME."),
    ] = "-score",
    only: Annotated[Only, Query(description="Rows above the threshold, or those that are not.")] = "all",
    score_from: Number = None,
    score_to: Number = None,
    p_to: Annotated[
        float | None, Query(allow_inf_nan=False, description="Only p-values of at most this.")
    ] = None,
    verdict: Annotated[
        Said, Query(description="Only rows of which somebody said so; none: nobody did.")
    ] = "",
    reason: Annotated[
        str, Query(max_length=10_000, description="Only rows that have this column as a reason.")
    ] = "",
    where: Annotated[
        str,
        Query(
            max_length=24_000,
            description='Conditions on columns, which must all hold, as JSON: `[["amount", "ge", "100"]]`. '
            f"Operators: {', '.join(view.OPERATORS)}.",
        ),
    ] = "",
) -> View:
    """Read a view."""
    return View(sort, only, score_from, score_to, p_to, verdict, reason, view.conditions(where))


ViewDep = Annotated[View, Depends(read_view)]
