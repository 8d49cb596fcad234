"""`Client` and `AsyncClient`: one server, one caller, and all that may be asked."""

import os
from contextlib import suppress
from types import TracebackType
from typing import Self

import httpx

from pynomaly.client.accounts import Account, ApiKeys, AuditLog, Users
from pynomaly.client.conversation import Conversation, Key, Password
from pynomaly.client.datasets import Datasets
from pynomaly.client.detections import Detections
from pynomaly.client.detectors import Detectors
from pynomaly.client.drivers import Awaiting, Blocking
from pynomaly.client.errors import ClientError
from pynomaly.client.flow import Flow
from pynomaly.client.jobs import Jobs
from pynomaly.client.models import User
from pynomaly.client.operation import D, Operation, Resource
from pynomaly.client.retry import Retry
from pynomaly.errors import ConfigurationError

SERVER = "http://127.0.0.1:8000"
TIMEOUT = 60.0


class Api(Resource[D]):
    """All parts of the API, for one client."""

    def __init__(self, driver: D, conversation: Conversation) -> None:
        """Hand both to every part."""
        super().__init__(driver, conversation)
        self.account: Account[D] = Account(driver, conversation)
        self.api_keys: ApiKeys[D] = ApiKeys(driver, conversation)
        self.audit_log: AuditLog[D] = AuditLog(driver, conversation)
        self.datasets: Datasets[D] = Datasets(driver, conversation)
        self.detections: Detections[D] = Detections(driver, conversation)
        self.detectors: Detectors[D] = Detectors(driver, conversation)
        self.jobs: Jobs[D] = Jobs(driver, conversation)
        self.users: Users[D] = Users(driver, conversation)

    @Operation
    def me(self) -> Flow[User]:
        """Tell who is asking."""
        return self._one(User, "GET", "/auth/me")

    @Operation
    def log_out(self) -> Flow[None]:
        """End the log-in that email and password began; the next request would begin another."""
        return self._conversation.log_out()


class Client(Api[Blocking]):
    """A blocking client; any number of threads may share it.

        with Client("http://127.0.0.1:8000", api_key="pyn_…") as client:
            for dataset in client.datasets.list(status="ready"):
                print(dataset.name)

    `server` and `api_key` default to PYNOMALY_SERVER and PYNOMALY_API_KEY. `email` and `password` log in
    instead of a key, when the first request is sent; the log-in is renewed as long as it is used, and
    ended by `close`.
    """

    def __init__(
        self,
        server: str | None = None,
        *,
        api_key: str | None = None,
        email: str | None = None,
        password: str | None = None,
        timeout: float = TIMEOUT,
        retry: Retry | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Say whom to ask, and as whom; nothing is sent yet. `timeout`: how long it may be silent."""
        driver = Blocking(address(server), transport)
        super().__init__(driver, _conversation(api_key, email, password, timeout, retry))

    def close(self) -> None:
        """End the log-in, if it began one and the server is there, and close all connections."""
        try:
            with suppress(ClientError):  # it ends by itself
                self.log_out()
        finally:
            self._driver.close()

    def __enter__(self) -> Self:
        """Close at the end of the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close, whatever happened."""
        self.close()


class AsyncClient(Api[Awaiting]):
    """The same for event loops: what blocks in `Client` is awaited, lists are gone through by `async for`.

    async with AsyncClient("http://127.0.0.1:8000", api_key="pyn_…") as client:
        async for dataset in client.datasets.list(status="ready"):
            print(dataset.name)
    """

    def __init__(
        self,
        server: str | None = None,
        *,
        api_key: str | None = None,
        email: str | None = None,
        password: str | None = None,
        timeout: float = TIMEOUT,
        retry: Retry | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Say whom to ask, and as whom; nothing is sent yet. `timeout`: how long it may be silent."""
        driver = Awaiting(address(server), transport)
        super().__init__(driver, _conversation(api_key, email, password, timeout, retry))

    async def close(self) -> None:
        """End the log-in, if it began one and the server is there, and close all connections."""
        try:
            with suppress(ClientError):  # it ends by itself
                await self.log_out()
        finally:
            await self._driver.close()

    async def __aenter__(self) -> Self:
        """Close at the end of the block."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close, whatever happened."""
        await self.close()


def address(given: str | None) -> str:
    """The server's address: what is given, or PYNOMALY_SERVER, or a server on this machine.

    Raises:
        ConfigurationError: it is no http or https address, or has a password in it.
    """
    text = given or os.environ.get("PYNOMALY_SERVER") or SERVER
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise ConfigurationError(f"The server's address {text!r} is no URL: {error}.") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise ConfigurationError(f"The server's address must begin with http:// or https://, not {text!r}.")
    if url.userinfo or url.query or url.fragment:
        raise ConfigurationError("The server's address has no user, query or fragment in it.")
    return str(url).rstrip("/").removesuffix("/api/v1")


def _conversation(
    api_key: str | None, email: str | None, password: str | None, timeout: float, retry: Retry | None
) -> Conversation:
    return Conversation(_credentials(api_key, email, password), retry or Retry(), timeout)


def _credentials(api_key: str | None, email: str | None, password: str | None) -> Key | Password | None:
    if (email is None) != (password is None) or (email is not None and api_key is not None):
        raise ConfigurationError("Give an API key, or an e-mail address with its password.")
    if email is not None and password is not None:
        return Password(email, password)
    key = api_key or os.environ.get("PYNOMALY_API_KEY")
    return Key(key) if key else None
