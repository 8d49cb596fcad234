"""Pages of other origins may call the API only when the settings say so, and never with a cookie."""

import httpx
import pytest
from fastapi import FastAPI

from pynomaly.errors import ConfigurationError
from pynomaly.server.db import Database
from pynomaly.server.web.app import create_app
from pynomaly.settings import Settings, load

pytestmark = pytest.mark.any_database

OURS, OTHER = "https://app.example.org", "https://evil.example"
PREFLIGHT = {
    "Access-Control-Request-Method": "DELETE",
    "Access-Control-Request-Headers": "authorization,if-match",
}


def cors_of(answer: httpx.Response) -> dict[str, str]:
    """The CORS headers of an answer."""
    return {name: value for name, value in answer.headers.items() if name.startswith("access-control-")}


def test_without_settings_no_origin_is_told_anything(client: httpx.Client) -> None:
    assert cors_of(client.get("/api/v1/health", headers={"Origin": OURS})) == {}
    assert cors_of(client.options("/api/v1/datasets", headers={"Origin": OURS} | PREFLIGHT)) == {}


class TestWithAnOrigin:
    """One origin may call."""

    @pytest.fixture
    def app(self, settings: Settings, database: Database) -> FastAPI:
        return create_app(
            settings.model_copy(update={"cors_origins": f" {OURS} , http://localhost:3000"}), database
        )

    def test_it_may_ask_and_read(self, client: httpx.Client) -> None:
        before = client.options("/api/v1/datasets/x", headers={"Origin": OURS} | PREFLIGHT)
        assert before.status_code == 200
        assert before.headers["access-control-allow-origin"] == OURS
        assert "DELETE" in before.headers["access-control-allow-methods"]
        assert "If-Match" in before.headers["access-control-allow-headers"]
        answer = client.get("/api/v1/auth/me", headers={"Origin": OURS})
        assert answer.status_code == 401
        assert answer.headers["access-control-allow-origin"] == OURS
        assert "RateLimit" in answer.headers["access-control-expose-headers"]
        assert "Origin" in answer.headers["vary"]

    def test_refusals_of_the_guard_can_be_read_too(self, client: httpx.Client) -> None:
        sent = {"Origin": OURS, "Content-Type": "application/json"}
        answer = client.post("/api/v1/auth/login", content=b"{nonsense", headers=sent)
        assert answer.status_code == 400
        assert answer.headers["access-control-allow-origin"] == OURS

    def test_others_may_not(self, client: httpx.Client) -> None:
        for origin in (OTHER, "null", OURS + ".evil.example", "http://app.example.org", OURS + ":8443"):
            assert (
                client.options("/api/v1/datasets", headers={"Origin": origin} | PREFLIGHT).status_code == 400
            )
            answer = client.get("/api/v1/health", headers={"Origin": origin})
            assert "access-control-allow-origin" not in answer.headers

    def test_a_browsers_credentials_are_never_allowed(self, client: httpx.Client) -> None:
        for answer in (
            client.get("/api/v1/health", headers={"Origin": OURS}),
            client.options("/api/v1/datasets", headers={"Origin": OURS} | PREFLIGHT),
        ):
            assert "access-control-allow-credentials" not in answer.headers
            assert answer.headers["access-control-allow-origin"] != "*"


@pytest.mark.parametrize("bad", ["*", "https://a.example/path", "a.example", "https://*.example.org", "null"])
def test_only_whole_origins_can_be_set(bad: str) -> None:
    with pytest.raises(ConfigurationError, match="PYNOMALY_CORS_ORIGINS"):
        load(cors_origins=bad)
