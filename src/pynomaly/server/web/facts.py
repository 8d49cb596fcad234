"""What a route's dependencies tell about it: who may call it, and which conventions it follows."""

from collections.abc import Callable, Iterator
from typing import Any

from fastapi.dependencies.models import Dependant


def calls(dependant: Dependant) -> Iterator[Callable[..., Any]]:
    """Yield every function that a route depends on, however deep."""
    for one in dependant.dependencies:
        if one.call is not None:
            yield one.call
        yield from calls(one)


def permissions_of(dependant: Dependant) -> list[str]:
    """The permissions that `may` asks for, in order."""
    found = (getattr(call, "permission", None) for call in calls(dependant))
    return list(dict.fromkeys(one for one in found if one is not None))


def header_names(dependant: Dependant) -> set[str]:
    """The request headers that a route reads, in small letters."""
    own = {str(field.alias).lower() for field in dependant.header_params}
    return own.union(*(header_names(one) for one in dependant.dependencies))
