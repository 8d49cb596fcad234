"""Parts of a saved model; what it learned of scores can be read without its algorithm."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from numpy.typing import NDArray

from pynomaly.detection import bundle
from pynomaly.detection.choice import Choice
from pynomaly.detection.outlying import Outlying
from pynomaly.detection.scoring import Calibration
from pynomaly.detection.thresholds import threshold
from pynomaly.errors import BadBundle

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Learned:
    """What a model learned of scores: those of its training rows, in sample and out of it."""

    training: Calibration
    calibration: Calibration
    outlying: Outlying
    trained_on: str

    @classmethod
    def from_saved(cls, manifest: Mapping[str, Any], arrays: Arrays) -> Self:
        """Read it from the parts of a model file; raises BadBundle when it makes no sense."""
        kept = saved_part(manifest, "calibration", dict)
        calibration = Calibration.from_arrays(saved_arrays("calibration", arrays), kept.get("rows"))
        training, known = calibration, saved_part(kept, "scores", str)
        if own := saved_arrays("training", arrays):
            training = Calibration.from_arrays(own, kept.get("training_rows"))
        return cls(training, calibration, Outlying.from_json(kept.get("outlying")), known)

    @classmethod
    def from_bytes(cls, data: bytes, key: bytes) -> Self:
        """Read it from a model file that is signed with `key`; raises BadBundle for anything else."""
        return cls.from_saved(*bundle.load(data, key, require_signature=True))

    def cut(self, choice: Choice) -> tuple[float, float]:
        """Find the threshold that a choice makes, and the share of the training rows above it."""
        found = threshold(self.training, self.calibration, choice, self.outlying)
        return found, self.training.share_above(found)


def saved_arrays(prefix: str, arrays: Arrays) -> dict[str, NDArray[Any]]:
    """Take the arrays of one part, by their names in it."""
    start = f"{prefix}."
    return {name.removeprefix(start): array for name, array in arrays.items() if name.startswith(start)}


def saved_part(manifest: Mapping[str, Any], name: str, kind: type) -> Any:
    """Take one entry of a manifest; raises BadBundle when it is missing or of another type."""
    part = manifest.get(name)
    if not isinstance(part, kind):
        raise BadBundle(f"The model file lacks its {name}.")
    return part
