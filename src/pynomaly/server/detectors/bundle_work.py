"""What runs in the process that checks a model file from elsewhere."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from pynomaly.errors import BadBundle
from pynomaly.library import Detector
from pynomaly.server.durable import sync


def run(payload: dict[str, Any], _progress: Callable[[float, str], None]) -> dict[str, Any]:
    """Load a model file, try the model out and write it anew, signed.

    What another installation signed counts as unsigned: its key is not known here. Every array is checked
    before it is used, and files of PyOD, which hold objects, are taken only when this installation signed
    them.
    """
    data, key = Path(payload["source"]).read_bytes(), bytes.fromhex(payload["key"])
    try:
        trained = Detector.from_bytes(data, key, require_signature=True)
    except BadBundle:
        trained = Detector.from_bytes(data)
    _try_out(trained)
    target = Path(payload["target"])
    target.write_bytes(trained.to_bytes(key))
    sync(target)
    model = trained.model
    return {
        "described": {
            "algorithm": trained.algorithm,
            "parameters": dict(trained.parameters),
            "columns": [{"name": c.name, "type": c.type} for c in trained.columns_ if c.unused is None],
            "threshold": float(trained.threshold),
            "estimated_contamination": trained.estimated_contamination,
            "notes": list(trained.notes_),
            "metrics": {"rows": model.training.rows, "bytes": target.stat().st_size},
        },
        "seed": trained.seed,
        "choice": model.choice.json(),
    }


def _try_out(trained: Detector) -> None:
    """Score and explain the rows that the file itself holds; raises BadBundle when that cannot be done."""
    model = trained.model
    try:
        scores, p_values, verdicts, _ = model.score_block(model.normal.frame)
        model.explanations(model.normal.frame, verdicts)
        works = bool(np.isfinite(scores).all() and np.isfinite(p_values).all())
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise BadBundle("The model in the file does not work.") from error
    if not works:
        raise BadBundle("The model in the file gives scores that are not numbers.")
