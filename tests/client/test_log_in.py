"""How a log-in with e-mail and password begins, is renewed and ends, without the caller's doing."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from pynomaly.client import AsyncClient, Client
from pynomaly.client.conversation import Tokens


@pytest.fixture
def talk(served, ada):
    """Ada's client, and what it sends: method, path."""
    sent = []
    with Client(served.url, email="ada@example.org", password=served.password) as client:
        client._driver._http.event_hooks = {
            "request": [
                lambda request: sent.append((request.method, request.url.path.removeprefix("/api/v1")))
            ]
        }
        yield client, sent


LOGIN, REFRESH, ME = ("POST", "/auth/login"), ("POST", "/auth/refresh"), ("GET", "/auth/me")


def named(request):
    """What is asked for."""
    return request.method, request.url.path.removeprefix("/api/v1")


def spoil(client, **how):
    """Spoil the tokens that a client holds."""
    tokens = client._conversation._tokens
    given = {"access": tokens.access, "refresh": tokens.refresh, "until": tokens.until} | how
    client._conversation._tokens = Tokens(**given)


def test_it_logs_in_when_it_first_asks_and_once(talk):
    client, sent = talk
    client.me()
    client.me()
    assert sent == [LOGIN, ME, ME]


def test_tokens_are_renewed_before_they_end(talk):
    client, sent = talk
    client.me()
    spoil(client, until=0)
    client.me()
    assert sent == [LOGIN, ME, REFRESH, ME]


def test_a_refused_token_is_renewed_once_and_the_call_repeated(talk):
    client, sent = talk
    client.me()
    spoil(client, access="ended")
    assert client.me().email == "ada@example.org"
    assert sent == [LOGIN, ME, ME, REFRESH, ME]


def test_when_the_log_in_has_ended_it_logs_in_again(talk):
    client, sent = talk
    client.me()
    spoil(client, access="ended", refresh="ended")
    assert client.me().email == "ada@example.org"
    assert sent == [LOGIN, ME, ME, REFRESH, LOGIN, ME]


def test_threads_that_share_a_client_renew_once(talk):
    client, sent = talk
    client.me()
    spoil(client, access="ended")
    with ThreadPoolExecutor(8) as threads:
        assert {user.email for user in threads.map(lambda _: client.me(), range(16))} == {"ada@example.org"}
    assert sent.count(REFRESH) == 1
    assert sent.count(LOGIN) == 1


def test_tasks_that_share_a_client_log_in_and_renew_once(served, ada):
    async def many():
        async with AsyncClient(served.url, email="ada@example.org", password=served.password) as client:
            sent = []

            async def note(request):
                sent.append(named(request))

            client._driver._http.event_hooks = {"request": [note]}
            await asyncio.gather(*(client.me() for _ in range(8)))
            spoil(client, access="ended")
            await asyncio.gather(*(client.me() for _ in range(8)))
            return sent

    sent = asyncio.run(many())
    assert (sent.count(LOGIN), sent.count(REFRESH)) == (1, 1)
