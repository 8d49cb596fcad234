"""What runs in the process that finds the score of a threshold."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pynomaly.detection.choice import Choice
from pynomaly.detection.saved import Learned


def run(payload: dict[str, Any], _progress: Callable[[float, str], None]) -> dict[str, Any]:
    """Find the score of a threshold."""
    learned = Learned.from_bytes(Path(payload["model"]).read_bytes(), bytes.fromhex(payload["key"]))
    threshold, share = learned.cut(Choice(payload["way"], payload["value"]))
    return {"threshold": threshold, "flagged_share": share}
