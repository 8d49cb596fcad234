"""A page's "as API call": the same thing as `curl` and with the Python client, ready to copy."""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

PREFIX = "/api/v1"
KEY = "$PYNOMALY_API_KEY"


@dataclass(frozen=True)
class ApiCall:
    """One request, `path` without /api/v1, and the line of Python that makes it (`client` is a `Client`).

    >>> call = ApiCall("List the datasets", "GET", "/datasets", "client.datasets.list()", query={"limit": 5})
    >>> print(call.curl("http://127.0.0.1:8000"))
    curl -H "X-API-Key: $PYNOMALY_API_KEY" 'http://127.0.0.1:8000/api/v1/datasets?limit=5'
    """

    title: str
    method: str
    path: str
    python: str
    query: Mapping[str, Any] = field(default_factory=dict)
    json: Any = None
    file: str = ""
    """Name of a file that is sent as the form field `file`."""
    save: str = ""
    """Name of the file that the answer is saved to."""

    def curl(self, base: str) -> str:
        """Write it for a shell; `base` is the server's address."""
        address = base.rstrip("/") + PREFIX + self.path
        if self.query:
            address += "?" + urlencode(self.query, doseq=True)
        parts = ["curl", "-H", f'"X-API-Key: {KEY}"']
        if self.method not in ("GET", "POST") or (self.method == "POST" and not (self.json or self.file)):
            parts += ["-X", self.method]
        if self.file:
            parts += ["-F", shlex.quote(f"file=@{self.file}")]
        if self.json is not None:
            body = json.dumps(self.json, ensure_ascii=False)
            parts += ["-H", "'Content-Type: application/json'", "-d", shlex.quote(body)]
        if self.save:
            parts += ["-o", shlex.quote(self.save)]
        return " ".join([*parts, shlex.quote(address)])


def python(calls: Sequence[ApiCall], base: str) -> str:
    """Write all calls as a Python program.

    >>> print(python([ApiCall("Me", "GET", "/auth/me", "client.me()")], "http://127.0.0.1:8000"))
    from pynomaly.client import Client
    <BLANKLINE>
    client = Client("http://127.0.0.1:8000")  # the key: api_key=…, or PYNOMALY_API_KEY
    client.me()
    """
    lines = [
        "from pynomaly.client import Client",
        "",
        f'client = Client("{base.rstrip("/")}")  # the key: api_key=…, or PYNOMALY_API_KEY',
    ]
    return "\n".join([*lines, *(call.python for call in calls)])
