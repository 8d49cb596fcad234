"""Each account, key and address has its own share of requests, and hears what is left of it."""

import re
from collections.abc import Callable

import httpx
import pytest
from fastapi import FastAPI

from pynomaly.server.db import Database
from pynomaly.server.users import keys
from pynomaly.server.users.models import User
from pynomaly.server.web.rate import RateLimits
from pynomaly.settings import Settings

pytestmark = pytest.mark.any_database

MakeUser = Callable[..., User]
POLICY = re.compile(r'"(caller|address)";q=(\d+);w=60')
LEFT = re.compile(r'"(caller|address)";r=(\d+);t=(\d+)')


@pytest.fixture
def limit(app: FastAPI) -> Callable[..., None]:
    """Set the limits; the counts begin anew."""

    def limit(callers: int, strangers: int) -> None:
        given = {"rate_limit_per_minute": callers, "rate_limit_anonymous_per_minute": strangers}
        app.state.rate_limits = RateLimits(app.state.settings.model_copy(update=given))

    return limit


def test_every_answer_tells_the_policy_and_what_is_left(api: httpx.Client, client: httpx.Client) -> None:
    first, second = (api.get("/api/v1/auth/me").headers for _ in range(2))
    assert POLICY.fullmatch(first["ratelimit-policy"]).groups() == ("caller", "300000")  # type: ignore[union-attr]
    left = [LEFT.fullmatch(headers["ratelimit"]) for headers in (first, second)]
    assert [int(one[2]) for one in left if one] == [299_999, 299_998]
    assert all(1 <= int(one[3]) <= 60 for one in left if one)
    stranger = client.get("/api/v1/auth/me")
    assert stranger.status_code == 401
    assert stranger.headers["ratelimit-policy"] == '"address";q=30000;w=60'
    assert "ratelimit" not in client.get("/health").headers


def test_one_request_too_many_is_refused_for_that_account_only(
    log_in: Callable[..., httpx.Client], limit: Callable[..., None]
) -> None:
    ada, bob = log_in("ada@example.org"), log_in("bob@example.org")
    limit(3, 0)
    assert [ada.get("/api/v1/auth/me").status_code for _ in range(5)] == [200, 200, 200, 429, 429]
    refused = ada.get("/api/v1/datasets", headers={"X-Forwarded-For": "192.0.2.9"})
    assert refused.status_code == 429
    assert refused.json()["code"] == "too_many_requests"
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.headers["ratelimit"].startswith('"caller";r=0;t=')
    assert bob.get("/api/v1/auth/me").status_code == 200


def test_a_key_has_a_share_of_its_own(
    client: httpx.Client, database: Database, make_user: MakeUser, limit: Callable[..., None]
) -> None:
    user = make_user()
    with database.session() as session:
        one, other = (keys.create(session, user, name, ["jobs:read"], None)[1] for name in ("a", "b"))
    limit(1, 0)
    statuses = [
        client.get("/api/v1/jobs/x", headers={"X-API-Key": key}).status_code for key in (one, one, other)
    ]
    assert statuses == [404, 429, 404]


def test_strangers_are_counted_by_address_whatever_they_claim(
    client: httpx.Client, limit: Callable[..., None]
) -> None:
    """Neither a forged X-Forwarded-For nor a made-up credential gives a new share."""
    limit(0, 6)
    sent = [
        {},
        {"X-Forwarded-For": "192.0.2.1"},
        {"X-Forwarded-For": "192.0.2.2", "Forwarded": "for=192.0.2.3"},
        {"Authorization": "Bearer made.up.token"},
        {"X-API-Key": "pyn_madeup"},
        {"X-Real-IP": "192.0.2.4"},
    ]
    assert {client.get("/api/v1/auth/me", headers=headers).status_code for headers in sent} == {401}
    for headers in sent:
        assert client.get("/api/v1/auth/me", headers=headers).status_code == 429
        answer = client.post("/api/v1/auth/refresh", json={"refresh_token": "x"}, headers=headers)
        assert answer.status_code == 429, "an open route counts strangers too"
    assert client.get("/health").status_code == 200


def test_zero_means_no_limit(api: httpx.Client, limit: Callable[..., None]) -> None:
    limit(0, 0)
    answer = api.get("/api/v1/auth/me")
    assert answer.status_code == 200
    assert "ratelimit" not in answer.headers


def test_the_default_leaves_room_for_a_load_test() -> None:
    """200 connections on one account send about 2,000 requests a second."""
    assert Settings().rate_limit_per_minute >= 2 * 2000 * 60
