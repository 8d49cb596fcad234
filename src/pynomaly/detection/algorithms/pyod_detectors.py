"""PyOD's detectors under our contract: `pyod.<Name>` for each entry of `entries.pyod` (Zhao et al. 2019)."""

import importlib
import inspect
import io
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stdout
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from pynomaly.detection import catalogue
from pynomaly.detection.algorithms import pyod_networks, pyod_store
from pynomaly.detection.algorithms.autoencoder import one_thread
from pynomaly.detection.algorithms.contract import Algorithm, Matrix, Progress, State
from pynomaly.detection.algorithms.occlusion import normal_rows, occlude
from pynomaly.detection.algorithms.scaling import Scaling
from pynomaly.detection.algorithms.stored import Stored
from pynomaly.detection.entries.pyod import BY_NAME, PYOD_NAMES, Peer
from pynomaly.errors import FitFailed, PynomalyError

LOWERED = frozenset(
    {
        "batch_size",
        "local_region_size",
        "min_cluster_size",
        "n_clusters",
        "n_neighbors",
        "n_neighbours",
        "ref_set",
        "subset_size",
    }
)
"""Parameters that count rows: with fewer rows they are lowered, and a note says so."""

LSCP_NEIGHBORS = (5, 10, 15, 20)
TRAINING_SHARE = 0.3
"""Of fitting, how much is training; the rest is scoring the rows, mostly one at a time."""

_ALONE = threading.Lock()
"""One thread at a time: PyOD draws from the process's one random state, and warns and prints."""


class PyodDetector(Algorithm):
    """One detector of PyOD (Y. Zhao, Z. Nasrullah, Z. Li, "PyOD: a Python toolbox for scalable outlier
    detection", 2019); the entry's summary names its own source.

    Score: PyOD's `decision_function` of the scaled rows (`scaling="none"`: of the rows), in its unit. PyOD
    scores some rows differently in other company; here each is scored alone, or added to the training
    rows, as `entries.pyod.Peer.scoring` says, with random states set anew. Scores that PyOD gives as
    infinite become the highest or lowest finite score of the training rows, and those that are no number
    their median; `notes_` says so.

    `contributions` are occlusions against the nearest normal training rows (see `occlusion`). Time: as PyOD
    for training, plus about a millisecond for each scored row, more for detectors that score whole tables.
    """

    peer: ClassVar[Peer]

    @property
    def thread_safe(self) -> bool:
        """Its library draws from generators of the whole process."""
        return False

    def _fit(self, X: Matrix, progress: Progress) -> None:
        catalogue.get(self.name).require()
        self._scaling = Scaling.fit(X, self.params["scaling"])
        scaled = self._scaling.apply(X)
        self._rows = self._sample(scaled)
        self._detector = self._train()
        progress(TRAINING_SHARE)
        found = self._ask(scaled, progress)
        self._limits = self._bounds(found)
        self._training_scores = self._finite(found)
        self._normal = normal_rows(scaled, self._training_scores, self.seed)
        progress(1.0)

    def _sample(self, X: Matrix) -> Matrix:
        most = int(self.params["training_rows"])
        if len(X) <= most:
            return np.array(X)
        self._note(f"PyOD was trained on a random sample of {most} of the {len(X)} rows.")
        return X[np.sort(np.random.default_rng(self.seed).choice(len(X), most, replace=False))]

    def _train(self, stored: Stored | None = None) -> Any:
        """Make PyOD's detector and train it on the sampled rows; or put what is stored into it."""
        try:
            with _calm(self.peer, self.seed):
                module = importlib.import_module(f"pyod.models.{self.peer.module}")
                made = getattr(module, self.peer.name)
                arguments = self._arguments(inspect.signature(made).parameters)
                if stored:
                    once = dict.fromkeys(pyod_networks.ROUNDS & set(arguments), 1)
                    made = pyod_networks.unscored(made(**arguments | once), self._rows)
                    pyod_networks.restore(self.peer, made, stored)
                    return made
                made = made(**arguments).fit(self._rows)
                pyod_networks.check(self.peer, made)
                return made
        except (PynomalyError, MemoryError, ImportError):
            raise
        except Exception as error:  # whatever a foreign library raises
            raise FitFailed(
                f"PyOD's {self.peer.name} cannot learn from this table: {_told(error)}"
            ) from error

    def _arguments(self, known: Mapping[str, inspect.Parameter]) -> dict[str, Any]:
        """Turn our parameters into PyOD's."""
        n, d = self._rows.shape
        settled = {"n_jobs": 1, "verbose": 0, "random_state": self.seed, "device": "cpu", "n_features": d}
        given = {name: value for name, value in settled.items() if name in known}
        for parameter in self.peer.parameters:
            value, theirs = self.params[parameter.name], PYOD_NAMES.get(parameter.name, parameter.name)
            if value == "auto" and known[theirs].default is None:
                value = None
            if parameter.name in LOWERED and value is not None and value > (most := _most(theirs, value, n)):
                value = most
                self._note(f"{parameter.name} was lowered to {value}: there are {n} rows to learn from.")
            given[theirs] = value
        if "detector_list" in known:
            from pyod.models.lof import LOF

            given["detector_list"] = [LOF(n_neighbors=min(k, max(1, n - 1))) for k in LSCP_NEIGHBORS]
        return given

    def _ask(self, X: Matrix, progress: Progress | None = None) -> Matrix:
        """Let PyOD score scaled rows: float64, shape (m,), perhaps not finite."""
        scores = np.empty(len(X))
        size = len(X) if self.peer.scoring == "blocks" else 1
        with _calm(self.peer, self.seed) as reseed:
            for begin in range(0, len(X), max(1, size)):
                reseed(self._detector)
                scores[begin : begin + size] = self._given(X[begin : begin + size])
                if progress and begin % 64 == 0:
                    progress(TRAINING_SHARE + (1 - TRAINING_SHARE) * begin / len(X))
        return scores

    def _given(self, rows: Matrix) -> Matrix | float:
        """Ask for the scores of one call; what PyOD refuses to score is beyond all it knows."""
        company = {"beside": [self._rows], "pairs": [rows]}.get(self.peer.scoring, [])
        asked = np.concatenate([*company, rows])
        try:
            found = np.asarray(self._detector.decision_function(asked), np.float64).ravel()
        except (ArithmeticError, LookupError, ValueError):
            return np.inf
        return found[-len(rows) :]

    def _bounds(self, found: Matrix) -> Matrix:
        """Give the lowest, median and highest of the finite training scores, which stand for the others."""
        finite = found[np.isfinite(found)]
        if not len(finite):
            raise FitFailed(f"PyOD's {self.peer.name} gives no row of this table a finite score.")
        if len(finite) < len(found):
            self._note(
                f"PyOD gave {len(found) - len(finite)} of {len(found)} training rows no finite score: "
                "infinite ones count as the highest or lowest, others as the median."
            )
        return np.array([finite.min(), np.median(finite), finite.max()])

    def _finite(self, found: Matrix) -> Matrix:
        low, middle, high = self._limits
        return np.nan_to_num(found, nan=middle, posinf=high, neginf=low)

    def _scores(self, X: Matrix) -> Matrix:
        return self._finite(self._ask(X))

    def _score(self, X: Matrix) -> Matrix:
        return self._scores(self._scaling.apply(X))

    def _contributions(self, X: Matrix) -> Matrix:
        return occlude(self._scores, self._scaling.apply(X), self._normal)

    def state(self) -> State:
        """Give the detector as skops stores it, or its rows and networks, and what is ours around it."""
        by_skops = self.peer.networks is None
        kept = (
            {"model": pyod_store.dump(self._detector)}
            if by_skops
            else pyod_networks.dump(self.peer, self._detector)
        )
        return {
            "rows": self._rows[:1] if by_skops and self.peer.scoring != "beside" else self._rows,
            "limits": self._limits,
            "normal": self._normal,
            **kept,
            **self._scaling.state(),
        }

    @classmethod
    def from_state(cls, params: Mapping[str, Any], seed: int, state: Mapping[str, NDArray[Any]]) -> Self:
        """Make a trained detector; raises UntrustedModel where it holds objects, unless `allowing_skops`."""
        catalogue.get(cls.name).require()
        made, stored = cls(seed=seed, **params), Stored(cls.name, state)
        made._scaling = Scaling.from_state(stored, made.params["scaling"])
        made.n_features_ = d = len(made._scaling.center)
        limit = made._scaling.limit
        made._rows = stored.take("rows", np.float64, (None, d), -limit, limit)
        made._normal = stored.take("normal", np.float64, (None, d), -limit, limit)
        made._limits = stored.take("limits", np.float64, (3,))
        if cls.peer.networks is None:
            made._detector = pyod_store.load(cls.peer, stored)
            return made
        try:
            made._detector = made._train(stored)
        except FitFailed as error:
            raise stored.bad("rows", "is none that can be learned from") from error
        made.notes_ = ()  # they were said when it was trained
        return made

    @classmethod
    def warm_up(cls, X: Matrix) -> None:
        """Do nothing: there is no kernel of ours to compile."""


class _Reseed:
    """Puts every random state that PyOD may draw from back to its start."""

    def __init__(self, peer: Peer, seed: int) -> None:
        self._seed = seed
        self._torch = importlib.import_module("torch") if peer.torch else None

    def __call__(self, detector: Any = None) -> None:
        np.random.seed(self._seed)
        if self._torch:
            self._torch.default_generator.manual_seed(self._seed)  # GPUs are not asked
        if isinstance(getattr(detector, "random_state", None), np.random.RandomState):
            detector.random_state = np.random.RandomState(self._seed)


@contextmanager
def _calm(peer: Peer, seed: int) -> Iterator[_Reseed]:
    """Let PyOD run alone, silently, from the given seed; the process's random states stay as they were."""
    with ExitStack() as stack:
        stack.enter_context(_ALONE)
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        stack.enter_context(np.errstate(all="ignore"))
        stack.enter_context(redirect_stdout(io.StringIO()))
        stack.callback(np.random.set_state, np.random.get_state())
        reseed = _Reseed(peer, seed)
        if peer.torch:
            from torch.random import fork_rng

            stack.enter_context(fork_rng(devices=[]))
            stack.enter_context(one_thread())
        reseed()
        yield reseed


def _most(name: str, value: int, n: int) -> int:
    """Give the most that a parameter which counts rows may be; batches must leave no single row over."""
    if name != "batch_size":
        return max(1, n - 1)
    most = min(value, n)
    return most - 1 if n % most == 1 and most > 2 else most


def _told(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return (text if len(text) <= 200 else text[:199] + "…").rstrip(".") + "."


def __getattr__(name: str) -> type[PyodDetector]:
    """Make the class of one detector when it is first asked for."""
    peer = BY_NAME.get(name)
    if peer is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    about = f"PyOD's {name}. {peer.summary}\n\n{PyodDetector.__doc__}"
    body = {"name": f"pyod.{name}", "peer": peer, "__doc__": about, "__module__": __name__}
    made = type(name, (PyodDetector,), body)
    globals()[name] = made
    return made
