"""Entity tags (RFC 9110): who read a thing and changes it later does not undo what another did between."""

import hashlib
import re
from typing import Annotated, TypeVar

from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel

from pynomaly.errors import PreconditionFailed
from pynomaly.server.web.answered import Answered

T = TypeVar("T", bound=BaseModel)
_TAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')
IF_MATCH = Annotated[
    str | None,
    Header(alias="If-Match", description="The `ETag` that was read: another's change since answers 412."),
]
IF_NONE_MATCH = Annotated[
    str | None,
    Header(alias="If-None-Match", description="The `ETag` that was read: no change since answers 304."),
]


def tag_of(answer: BaseModel) -> str:
    """The entity tag of an answer: a hash of all that it says."""
    return f'"{hashlib.blake2b(answer.model_dump_json().encode(), digest_size=12).hexdigest()}"'


class Tags:
    """Gives tags with answers and checks those that come back."""

    def __init__(self, request: Request, response: Response) -> None:
        """Serve one request."""
        self._request = request
        self._response = response

    def give(self, answer: T) -> T:
        """Send `answer` with its tag, or 304 without it to a client that has it already."""
        tag = tag_of(answer)
        self._response.headers["ETag"] = tag
        if self._request.method == "GET" and _names(self._request, "if-none-match", tag, weak=True):
            raise Answered(Response(status_code=304, headers={"ETag": tag}))
        return answer

    def require(self, answer: BaseModel) -> None:
        """Go on only when the client saw `answer`, the present state, or does not care (no `If-Match`).

        Raises:
            PreconditionFailed: somebody changed it since.
        """
        if "if-match" in self._request.headers and not _names(self._request, "if-match", tag_of(answer)):
            raise PreconditionFailed


def _names(request: Request, header: str, tag: str, *, weak: bool = False) -> bool:
    """Tell whether a header lists a tag, or `*`; a weak one counts only where `weak` comparison is meant."""
    given = ",".join(request.headers.getlist(header)).strip()
    if given == "*":
        return True
    listed = _TAG.findall(given)
    return any(one == tag or (weak and one == f"W/{tag}") for one in listed)


TagsDep = Annotated[Tags, Depends()]
