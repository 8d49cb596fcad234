"""How one description of an operation is a blocking method of `Client` and an awaitable one of `AsyncClient`.

A resource's methods describe flows; these two descriptors hand them to the client's driver. Which driver
it is stands in the resource's type (`Datasets[Blocking]`, `Datasets[Awaiting]`), so that type checkers and
editors see for each client what its methods take and return.
"""

import functools
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from enum import Enum
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar, overload
from urllib.parse import quote

from pydantic import ValidationError

from pynomaly.client.conversation import Conversation, decoded
from pynomaly.client.drivers import Awaiting, Blocking
from pynomaly.client.errors import UnexpectedAnswer
from pynomaly.client.flow import Call, Flow, Page, Pages, Reply
from pynomaly.client.models import Answer

D = TypeVar("D", bound=Blocking | Awaiting)
P = ParamSpec("P")
T = TypeVar("T")
A = TypeVar("A", bound=Answer)


class HasId(Protocol):
    """Something with an identifier."""

    @property
    def id(self) -> str:
        """Its identifier."""


class Keep(Enum):
    """Says of a field that it stays as it is, where None has a meaning of its own."""

    KEEP = "keep"


KEEP = Keep.KEEP


def id_of(thing: HasId | str) -> str:
    """The identifier of something, or the identifier itself."""
    return thing if isinstance(thing, str) else thing.id


def at(thing: HasId | str | int) -> str:
    """An identifier as one step of a path, whatever is in it.

    >>> at("a/../b")
    'a%2F..%2Fb'
    """
    return quote(str(thing) if isinstance(thing, int) else id_of(thing), safe="")


def given(**fields: Any) -> dict[str, Any]:
    """The fields of a body that somebody gave.

    >>> given(name=KEEP, label_column=None)
    {'label_column': None}
    """
    return {name: value for name, value in fields.items() if value is not KEEP}


def only_if(tag: str | None) -> dict[str, str]:
    """The header that refuses a change when another came in between (412)."""
    return {} if tag is None else {"If-Match": tag}


class Resource(Generic[D]):
    """A part of the API, for one client."""

    def __init__(self, driver: D, conversation: Conversation) -> None:
        """Ask with this conversation, by this driver."""
        self._driver = driver
        self._conversation = conversation

    def _send(self, method: str, path: str, **how: Any) -> Flow[Reply]:
        return self._conversation.exchange(Call(method, path, **how))

    def _one(self, kind: type[A], method: str, path: str, **how: Any) -> Flow[A]:
        """Ask for one thing."""
        reply = yield from self._send(method, path, **how)
        return read(kind, reply, sparse=(how.get("query") or {}).get("fields") is not None)

    def _none(self, method: str, path: str, **how: Any) -> Flow[None]:
        """Ask for something that has no answer but that it is done."""
        yield from self._send(method, path, **how)

    def _page(self, kind: type[A], path: str, query: Mapping[str, Any]) -> Flow[Page[A]]:
        """Ask for one page of things."""
        reply = yield from self._send("GET", path, query=query)
        content = decoded(reply)
        sparse = query.get("fields") is not None
        items = [parsed(kind, item, sparse=sparse) for item in content.get("items", [])]
        return Page(items, content.get("next_cursor"))

    def _pages(self, kind: type[A], path: str, /, **query: Any) -> Pages[A]:
        """Ask for page after page."""
        return lambda cursor: self._page(kind, path, query | {"cursor": cursor})


def read(kind: type[A], reply: Reply, *, sparse: bool = False) -> A:
    """Read one thing with its entity tag."""
    found = parsed(kind, decoded(reply), sparse=sparse)
    found._etag = reply.headers.get("etag")
    return found


def parsed(kind: type[A], given: Any, *, sparse: bool = False) -> A:
    """Read an answer; raises UnexpectedAnswer when the server means something else by it."""
    try:
        return kind.of_some(given) if sparse else kind.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise UnexpectedAnswer(
            f"The server's answer is not one that this client knows: {kind.__name__} {where}: {first['msg']}."
        ) from error


class Operation(Generic[P, T]):
    """A method that does one thing: it describes the flow, the client carries it out."""

    def __init__(self, describe: Callable[Concatenate[Any, P], Flow[T]]) -> None:
        """Be the method that `describe` describes."""
        self.describe = describe
        functools.update_wrapper(self, describe)  # type: ignore[arg-type]

    @overload
    def __get__(self, resource: None, owner: type) -> "Operation[P, T]": ...
    @overload
    def __get__(self, resource: Resource[Blocking], owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, resource: Resource[Awaiting], owner: type) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, resource: Resource[Any] | None, owner: type) -> Any:
        """Bind it to a resource of one client."""
        if resource is None:
            return self

        @functools.wraps(self.describe)
        def method(*arguments: P.args, **named: P.kwargs) -> Any:
            return resource._driver.run(self.describe(resource, *arguments, **named))

        return method


class Listing(Generic[P, T]):
    """A method that gives many things, page by page as they are asked for."""

    def __init__(self, describe: Callable[Concatenate[Any, P], Pages[T]]) -> None:
        """Be the method that `describe` describes."""
        self.describe = describe
        functools.update_wrapper(self, describe)  # type: ignore[arg-type]

    @overload
    def __get__(self, resource: None, owner: type) -> "Listing[P, T]": ...
    @overload
    def __get__(self, resource: Resource[Blocking], owner: type) -> Callable[P, Iterator[T]]: ...
    @overload
    def __get__(self, resource: Resource[Awaiting], owner: type) -> Callable[P, AsyncIterator[T]]: ...
    def __get__(self, resource: Resource[Any] | None, owner: type) -> Any:
        """Bind it to a resource of one client."""
        if resource is None:
            return self

        @functools.wraps(self.describe)
        def method(*arguments: P.args, **named: P.kwargs) -> Any:
            return resource._driver.iterate(self.describe(resource, *arguments, **named))

        return method
