"""How routes get at the results that depend on datasets and detectors."""

from typing import Annotated

from fastapi import Depends, Query, Request

from pynomaly.server.datasets.results import Results


async def get_results(request: Request) -> Results:
    """What the application knows of results."""
    return request.app.state.results  # type: ignore[no-any-return]


ResultsDep = Annotated[Results, Depends(get_results)]
Cascade = Annotated[bool, Query(description="Delete the results that depend on it, too.")]
