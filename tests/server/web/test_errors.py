"""Every error is a problem for programs and a page for browsers, with a correlation id and without secrets."""

import httpx
import pytest

MEMBERS = {"type", "title", "status", "detail", "code", "correlation_id"}


def check(answer: httpx.Response, status: int, code: str) -> dict[str, object]:
    """Check that the answer is a problem with this status and code."""
    problem = answer.json()
    assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(problem) >= MEMBERS
    assert problem["correlation_id"] == answer.headers["x-request-id"]
    return problem


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/nothing", "/static/nothing.css", "/api/v1/health/"])
def test_an_unknown_address_is_404(client: httpx.Client, path: str) -> None:
    check(client.get(path), 404, "not_found")
