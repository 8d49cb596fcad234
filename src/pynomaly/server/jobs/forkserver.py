"""The warm process: it loads the numeric libraries once, then forks one child for each attempt of a job.

Run as `python -m pynomaly.server.jobs.forkserver [NAME …]` with a Unix stream socket as standard input.
The worker sends five-byte commands: `F` + number forks a child (the child's own socket comes along), `K` +
number kills it. The answers are JSON lines: `{"started", "pid"}` and `{"exited", "status", "peak_mib"}`. When
the worker goes, however it goes, the socket ends: all children are killed and this process exits.

This process runs no job code and starts no thread: only then is a forked child sound. It is not
`multiprocessing.forkserver`, because that imports the worker's main module into each child, pickles, and can
neither tell how a child ended nor how much memory it took.
"""

import gc
import importlib
import json
import os
import selectors
import signal
import socket
import struct
import sys
import warnings
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

from pynomaly.server.jobs import child

COMMAND = struct.Struct("!cI")
NICENESS = 10
"""Pages stay quick while jobs run: this process and its children give way to the API."""


class Server:
    """Forks, kills and reaps children as the control socket says."""

    def __init__(self, control: socket.socket) -> None:
        """Serve the worker at the other end of `control`."""
        self._control = control
        self._pids: dict[int, int] = {}
        self._numbers: dict[int, int] = {}
        self._selector = selectors.DefaultSelector()
        self._deaths, self._alarm = socket.socketpair()
        for end in (self._deaths, self._alarm):
            end.setblocking(False)

    def serve(self) -> None:
        """Obey until the worker is gone, then kill every child."""
        signal.signal(signal.SIGCHLD, lambda *_: None)  # the wake-up socket needs a handler
        signal.set_wakeup_fd(self._alarm.fileno(), warn_on_full_buffer=False)
        self._selector.register(self._control, selectors.EVENT_READ)
        self._selector.register(self._deaths, selectors.EVENT_READ)
        with suppress(BrokenPipeError, ConnectionResetError):  # both: the worker is gone
            while self._obey():
                self._reap()
        for pid in self._numbers:
            _kill(pid)

    def _obey(self) -> bool:
        """Wait for something to do; False when the worker is gone."""
        for key, _ in self._selector.select():
            if key.fileobj is self._deaths:
                self._deaths.recv(4096)
            elif not self._command():
                return False
        return True

    def _command(self) -> bool:
        data, fds, _, _ = socket.recv_fds(self._control, COMMAND.size, 1)
        while data and len(data) < COMMAND.size and (rest := self._control.recv(COMMAND.size - len(data))):
            data += rest
        if len(data) < COMMAND.size:
            return False
        verb, number = COMMAND.unpack(data)
        if verb == b"F":
            self._fork(number, fds[0])
        elif number in self._pids:
            _kill(self._pids[number])
        return True

    def _fork(self, number: int, fd: int) -> None:
        with warnings.catch_warnings():
            # Python warns of a fork beside the idle threads of BLAS, which prepares for forks itself
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid == 0:
            self._become_child(fd)
        os.close(fd)
        with suppress(ProcessLookupError, PermissionError):  # the child does it too: whoever is first
            os.setpgid(pid, pid)
        self._pids[number], self._numbers[pid] = pid, number
        self._say({"started": number, "pid": pid})

    def _become_child(self, fd: int) -> NoReturn:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for end in (self._control, self._deaths, self._alarm):
            end.close()
        self._selector.close()
        child.main(socket.socket(fileno=fd))

    def _reap(self) -> None:
        """Report the children that ended, and kill what they left running."""
        while self._numbers:
            pid, status, usage = os.wait4(-1, os.WNOHANG)
            if pid == 0:
                return
            _kill(pid)
            number = self._numbers.pop(pid)
            del self._pids[number]
            self._say({"exited": number, "status": status, "peak_mib": usage.ru_maxrss / _MAXRSS_PER_MIB})

    def _say(self, message: dict[str, float]) -> None:
        self._control.sendall(json.dumps(message).encode() + b"\n")


_MAXRSS_PER_MIB = 1024 * 1024 if sys.platform == "darwin" else 1024


def _kill(pid: int) -> None:
    """Kill a child with everything that it started (its process group)."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def load(names: Sequence[str]) -> None:
    """Import modules, and call functions ("module:function"), that save the children time.

    One that fails is left to the jobs that need it.
    """
    for name in names:
        try:
            child.resolve(name)() if ":" in name else importlib.import_module(name)
        except Exception as error:  # noqa: BLE001 - whatever it is, jobs that do not need it must run
            sys.stderr.write(f"pynomaly: cannot load {name} ahead of time: {error}\n")


def main(names: Sequence[str]) -> None:
    """Take the control socket from standard input, load what is named and serve."""
    control = socket.socket(fileno=os.dup(0))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number in (signal.SIGINT, signal.SIGTERM):  # meant for the worker, which ends this process itself
        signal.signal(number, signal.SIG_IGN)
    os.nice(NICENESS)
    load(names)
    gc.collect()
    gc.freeze()  # else the children's garbage collections would copy every shared page
    Server(control).serve()
    os._exit(0)  # nothing to tidy up, and libraries that were only loaded complain when torn down


if __name__ == "__main__":
    main(sys.argv[1:])
