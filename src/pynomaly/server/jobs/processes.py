"""The worker's hold on the warm process: start it, ask it for children, talk to them, kill them."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pynomaly.server.jobs.forkserver import COMMAND

SECRETS = ("PYNOMALY_SECRET_KEY", "PYNOMALY_DATABASE_URL", "PYNOMALY_ADMIN_PASSWORD_FILE")
"""Environment variables that job processes do not get: they have no business with them."""

START_SECONDS = 60
"""How long the warm process may take to load the libraries on a busy machine."""


@dataclass(frozen=True)
class Exit:
    """How a child ended: its wait status and the most memory that it had resident, in MiB."""

    status: int
    peak_mib: float

    @property
    def signal(self) -> int | None:
        """The signal that killed it."""
        return os.WTERMSIG(self.status) if os.WIFSIGNALED(self.status) else None


class Child:
    """One forked child, as the worker sees it."""

    def __init__(
        self, number: int, connection: socket.socket, forkserver: "Forkserver", control: socket.socket
    ) -> None:
        """Wrap the child's socket; `control` leads to the warm process that forks it."""
        self.number = number
        self.control = control
        self.pid: int | None = None
        self.exit: Exit | None = None
        self._connection = connection
        self._forkserver = forkserver
        self._pending = b""
        self._ended = threading.Event()

    def send(self, request: dict[str, Any]) -> None:
        """Send the one request."""
        self._connection.settimeout(START_SECONDS)
        self._connection.sendall(json.dumps(request, allow_nan=False).encode() + b"\n")

    def receive(self, seconds: float) -> Iterator[dict[str, Any]]:
        """Wait up to so many seconds for messages; EOFError when the child has said all that it will."""
        self._connection.settimeout(seconds)
        try:
            data = self._connection.recv(1 << 16)
        except TimeoutError:
            return
        except ConnectionResetError as error:
            raise EOFError from error
        if not data:
            raise EOFError
        *lines, self._pending = (self._pending + data).split(b"\n")
        for line in lines:
            yield json.loads(line)

    def kill(self) -> None:
        """Kill it with everything that it started."""
        self._forkserver.kill(self)

    def wait(self, seconds: float) -> Exit | None:
        """Wait for the end; None when it takes longer."""
        self._ended.wait(seconds)
        return self.exit

    def ended(self, exit_: Exit) -> None:
        """Note how it ended."""
        self.exit = exit_
        self._ended.set()

    def close(self) -> None:
        """Close its socket."""
        self._connection.close()

    def resident_mib(self) -> float:
        """Memory that it holds for itself at this moment, in MiB; 0 where the system does not tell."""
        try:
            status = Path(f"/proc/{self.pid}/status").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return 0.0
        fields = dict(line.split(":", 1) for line in status.splitlines())
        kib = sum(int(fields.get(name, "0").split()[0]) for name in ("RssAnon", "RssShmem"))
        return kib / 1024


class Forkserver:
    """Starts the warm process when it is needed and again when it has died; safe to use from many threads."""

    def __init__(self, names: Sequence[str], environ: Mapping[str, str] = os.environ) -> None:
        """Have the warm process load `names`; it gets `environ` as it is now, without secrets."""
        self._names = tuple(names)
        self._environ = {name: value for name, value in environ.items() if name not in SECRETS}
        self._lock = threading.RLock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket
        self._children: dict[int, Child] = {}
        self._last = 0

    @property
    def pid(self) -> int | None:
        """The process id of the warm process."""
        return self._process.pid if self._process else None

    def start(self) -> socket.socket:
        """Start the warm process unless it runs, without waiting until it is ready; gives its socket."""
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._control, theirs = socket.socketpair()
                with theirs:
                    self._process = subprocess.Popen(  # noqa: S603 - our own module
                        [sys.executable, "-m", "pynomaly.server.jobs.forkserver", *self._names],
                        stdin=theirs.fileno(),
                        env=self._environ,
                        start_new_session=True,
                    )
                threading.Thread(target=self._listen, args=(self._control,), daemon=True).start()
            return self._control

    def fork(self) -> Child:
        """Make a child, which then waits for its request."""
        ours, theirs = socket.socketpair()
        with self._lock, theirs:
            control = self.start()
            self._last += 1
            child = self._children[self._last] = Child(self._last, ours, self, control)
            try:
                socket.send_fds(control, [COMMAND.pack(b"F", child.number)], [theirs.fileno()])
            except OSError:  # it died just now, and its listener may already be done
                self._bury(child)
        return child

    def kill(self, child: Child) -> None:
        """Kill a child: by the warm process, which alone knows if the process id is still the child's."""
        with self._lock:
            if child.number in self._children:
                with suppress(OSError):  # it is dying with its warm process
                    child.control.sendall(COMMAND.pack(b"K", child.number))

    def close(self) -> None:
        """End the warm process and all children."""
        with self._lock:
            process, self._process = self._process, None
        if process is None:
            return
        with suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _listen(self, control: socket.socket) -> None:
        """Take the warm process's reports until it is gone; then its children are gone too."""
        with control, control.makefile("rb") as lines, suppress(ConnectionResetError):
            for line in lines:
                self._note(json.loads(line))
        with self._lock:
            for child in [child for child in self._children.values() if child.control is control]:
                self._bury(child)

    def _note(self, message: dict[str, Any]) -> None:
        with self._lock:
            if "started" in message:
                self._children[message["started"]].pid = message["pid"]
            else:
                child = self._children.pop(message["exited"])
                child.ended(Exit(message["status"], message["peak_mib"]))

    def _bury(self, child: Child) -> None:
        """Take a child for killed whose warm process has died."""
        if self._children.pop(child.number, None):
            child.ended(Exit(signal.SIGKILL, 0.0))
