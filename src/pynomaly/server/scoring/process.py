"""The process that scores: `python -m pynomaly.server.scoring.process`, with a socket as standard input.

The first message says with what to work: `{"key", "memory_mib"}`. Each later one is a task (`tasks.Task`) as
JSON and is answered, in any order, with `{"found": …}` or `{"error": [code, message]}`. When the server goes,
however it goes, the socket ends and this process with it.
"""

import json
import os
import signal
import socket
import sys
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NoReturn

from pynomaly.detection.algorithms.threads import limit_threads
from pynomaly.errors import BadValue, NotFound, OutOfMemory, PynomalyError
from pynomaly.server.jobs.child import leave_parent, limit_memory
from pynomaly.server.scoring.cache import Models
from pynomaly.server.scoring.wire import packed, received

MIB = 1024 * 1024
TASKS_AT_ONCE = 4
"""A long task must not hold up the short ones; the numeric kernels let other threads run."""
MODELS_SHARE = 4
"""Model files may have one part in so many of the memory: loaded they take more room, and so does scoring."""


class Server:
    """Answers tasks until the connection ends."""

    def __init__(self, connection: socket.socket, models: Models) -> None:
        """Serve the API process at the other end of `connection`."""
        self._connection = connection
        self._models = models
        self._sending = threading.Lock()

    def answer(self, number: int, body: bytes) -> None:
        """Do one task and send what came of it, whatever that is."""
        answer = json.dumps(self._outcome(body), allow_nan=False).encode()
        try:
            with self._sending:
                self._connection.sendall(packed(number, answer))
        except OSError:
            os._exit(0)  # nobody is there any more

    def _outcome(self, body: bytes) -> dict[str, Any]:
        try:
            return {"found": score(json.loads(body), self._models)}
        except PynomalyError as error:
            return {"error": [error.code, error.message]}
        except MemoryError:
            self._models.clear()
            return {"error": [OutOfMemory.code, "Scoring needs more memory than it may use."]}
        except FileNotFoundError:
            return {"error": [NotFound.code, "The model's file is gone."]}
        except Exception as error:  # noqa: BLE001 - it must not end the others' tasks
            sys.stderr.write(traceback.format_exc())
            return {"error": ["internal_error", type(error).__name__]}


def score(task: dict[str, Any], models: Models) -> dict[str, Any]:
    """Score the rows of a task as a detection would, and explain them when that is asked for."""
    model = models.get(task["model_id"], Path(task["path"])).with_threshold(task["chosen"])
    rows = [dict(zip(task["columns"], cells, strict=True)) for cells in task["rows"]]
    try:
        frame = model.frame_of_rows(rows)
    except (KeyError, ValueError, TypeError) as error:
        raise BadValue("The rows do not have what the model's columns hold.") from error
    scores, p_values, flagged, cut = model.score_block(frame)
    items: list[dict[str, Any]] = [
        {"score": s, "p_value": p, "is_anomaly": f, "summary": None, "reasons": []}
        for s, p, f in zip(scores.tolist(), p_values.tolist(), flagged.tolist(), strict=True)
    ]
    if task["explain"]:
        for item, why in zip(items, model.explanations(frame, flagged.tolist()), strict=True):
            item["summary"], item["reasons"] = why.summary, [reason.json() for reason in why.reasons]
    return {"threshold": float(cut), "items": items}


def main() -> NoReturn:
    """Take the socket from standard input, and serve."""
    connection = socket.socket(fileno=os.dup(0))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for meant_for_the_server in (signal.SIGINT, signal.SIGTERM):
        signal.signal(meant_for_the_server, signal.SIG_IGN)
    leave_parent()
    limit_threads(1)  # of each task: tasks run side by side
    messages = received(connection)
    _, first = next(messages, (0, b""))
    if not first:
        os._exit(0)
    given = json.loads(first)
    server = Server(
        connection, Models(bytes.fromhex(given["key"]), given["memory_mib"] * MIB // MODELS_SHARE)
    )
    limit_memory(given["memory_mib"])
    pool = ThreadPoolExecutor(TASKS_AT_ONCE)
    for number, body in messages:
        pool.submit(server.answer, number, body)
    os._exit(0)  # no task is worth finishing: nobody waits for it


if __name__ == "__main__":
    main()
