"""A mail server for tests, run as a process: writes each letter to a file of the folder it is given.

Prints its port, and ends when its standard input does. A file `slow` in the folder makes it sleep a second.
"""

import asyncio
import socket
import sys
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult


class Box:
    """Keeps what comes."""

    def __init__(self, folder: Path) -> None:
        """Keep it in `folder`."""
        self._folder = folder
        self._count = 0

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        """Take a letter."""
        if (self._folder / "slow").exists():
            await asyncio.sleep(1)
        self._count += 1
        draft = self._folder / f"{self._count:03}.draft"
        draft.write_bytes(envelope.content)
        draft.rename(draft.with_suffix(".eml"))
        return "250 OK"


def let_in(*_: Any) -> AuthResult:
    """Believe any password."""
    return AuthResult(success=True)


OPEN_HEARTED = {"authenticator": let_in, "auth_require_tls": False}
"""Takes passwords without TLS: it is the client that must not send them."""


if __name__ == "__main__":
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(Box(Path(sys.argv[1])), hostname="127.0.0.1", port=port, **OPEN_HEARTED)
    controller.start()
    print(port, flush=True)  # noqa: T201
    sys.stdin.read()
    controller.stop()
