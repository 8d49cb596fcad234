"""A form that came when the session had ended: kept through the log-in, so that nothing typed is lost.

The log-in page that answers it carries what was typed in a hidden field; after the log-in a page offers to
send it where it was meant to go. Nothing of it is stored, and it works without scripts. Passwords are left
out, and asked for again. No other site can plant a form so: `guard` refuses what comes from elsewhere.
"""

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request

from pynomaly.server.web.cookies import local_path

SECRET = re.compile(r"pass|secret|token", re.IGNORECASE)
MOST = 250_000
"""Longest form that is kept, in characters."""
MOST_FIELDS = 10_000
END = ("-", "")
"""Stands between what is told about a form and its fields."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A form that is yet to be sent: where to, what was typed, which passwords are to be typed again."""

    action: str
    fields: tuple[tuple[str, str], ...]
    secrets: tuple[str, ...] = ()
    back: str = "/"
    """The page that it was on."""

    @property
    def packed(self) -> str:
        """Everything in one hidden field."""
        about = [("", self.action), ("", self.back), *(("", name) for name in self.secrets)]
        return urlencode([*about, END, *self.fields])


def unpack(packed: str) -> Kept | None:
    """Read the hidden field; None when it holds no form.

    >>> kept = Kept("/detectors/new", (("name", "a&b=c"), ("name", "")), ("password",), "/detectors")
    >>> unpack(kept.packed) == kept, unpack(""), unpack("=%2F%2Fevil.example&=%2F&-=")
    (True, None, None)
    """
    try:
        pairs = parse_qsl(packed, keep_blank_values=True, max_num_fields=MOST_FIELDS + 100)
        end = pairs.index(END)
    except ValueError:
        return None
    action, back, *secrets = [value for _name, value in pairs[:end]] + ["", ""]
    if local_path(action) != action or action == "/":
        return None
    fields = tuple(pairs[end + 1 :])
    return Kept(action, fields, tuple(secrets[:-2]), local_path(back))


async def keep(request: Request) -> Kept | None:
    """Keep the form of a request; None when there is none, or one that is too long or holds a file."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method != "POST" or kind != "application/x-www-form-urlencoded":
        return None
    try:
        form = await request.form(max_files=0, max_fields=MOST_FIELDS)
    except (HTTPException, RuntimeError):  # malformed, or read before by somebody who did not keep it
        return None
    typed = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    fields = tuple(pair for pair in typed if not SECRET.search(pair[0]))
    secrets = tuple(dict.fromkeys(name for name, _value in typed if SECRET.search(name)))
    kept = Kept(request.url.path, fields, secrets, came_from(request))
    return kept if typed and len(kept.packed) <= MOST else None


def came_from(request: Request) -> str:
    """The page of ours that the request came from; "/" when it does not say so."""
    parts = urlsplit(request.headers.get("referer", ""))
    if parts.netloc.lower() != request.headers.get("host", "").lower():
        return "/"
    return local_path(parts.path + (f"?{parts.query}" if parts.query else ""))
