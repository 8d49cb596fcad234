"""Loaded models: those used last stay, as many as their files' sizes allow."""

import json
import threading
from collections import OrderedDict
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from pynomaly.detection.model import Model


class Loaded:
    """One model in memory, and the same with the threshold that was asked for last."""

    def __init__(self, model: Model, size: int) -> None:
        """Hold a model that was read from a file of so many bytes."""
        self.size = size
        self._model = model
        self._moved: tuple[str, Model] = ("", model)

    def with_threshold(self, chosen: dict[str, Any]) -> Model:
        """The model with its threshold at `chosen`: {"value": a score}, or the four ways."""
        key, (known, model) = json.dumps(chosen, sort_keys=True), self._moved
        if known != key:
            model = self._model.with_threshold(**chosen)
            self._moved = (key, model)
        return model


class Models:
    """Reads each model once, however many ask for it at the same time; safe to use from many threads."""

    def __init__(self, key: bytes, most_bytes: int) -> None:
        """Read files that are signed with `key`, and keep at most so many bytes of them, or one model."""
        self._key = key
        self._most = most_bytes
        self._lock = threading.Lock()
        self._known: OrderedDict[str, Future[Loaded]] = OrderedDict()

    def get(self, id_: str, path: Path) -> Loaded:
        """Give a model, from `path` when it is not in memory.

        Raises:
            BadBundle: the file is damaged or not signed by this installation.
            OSError: it cannot be read.
        """
        with self._lock:
            found = self._known.get(id_)
            if found is not None:
                self._known.move_to_end(id_)
            else:
                mine = self._known[id_] = Future()
        return found.result() if found is not None else self._load(id_, path, mine)

    def clear(self) -> None:
        """Forget all models: memory is short."""
        with self._lock:
            self._known = OrderedDict((id_, held) for id_, held in self._known.items() if not held.done())

    @property
    def ids(self) -> list[str]:
        """The models in memory; the one that was used last is the last."""
        with self._lock:
            return list(self._known)

    def _load(self, id_: str, path: Path, mine: "Future[Loaded]") -> Loaded:
        try:
            data = path.read_bytes()
            loaded = Loaded(Model.from_bytes(data, self._key, require_signature=True), len(data))
        except BaseException as error:
            with self._lock:
                self._known.pop(id_, None)
            mine.set_exception(error)
            raise
        mine.set_result(loaded)
        with self._lock:
            self._shrink(id_)
        return loaded

    def _shrink(self, newest: str) -> None:
        """Let go of the models that were not used for longest, while there are too many bytes."""
        sizes = {id_: held.result().size for id_, held in self._known.items() if _is_loaded(held)}
        for id_ in list(sizes):
            if sum(sizes.values()) <= self._most or id_ == newest:
                return
            del self._known[id_], sizes[id_]


def _is_loaded(held: "Future[Loaded]") -> bool:
    return held.done() and held.exception() is None
