"""A job that tells how much processor time requests take that follow each other in one child."""

import time
from typing import Any

import numpy as np

import pynomaly


def requests(payload: dict[str, Any], _: Any) -> dict[str, Any]:
    """Train, score and explain some times over; list the processor seconds of each time."""
    rng, seconds = np.random.default_rng(0), []
    columns = {f"x{j}": rng.normal(size=payload["rows"]).tolist() for j in range(6)}
    for _ in range(payload["times"]):
        began = time.process_time()
        detector = pynomaly.Detector(payload["algorithm"], **payload["parameters"]).fit(columns)
        detector.detect(columns).top(20)
        seconds.append(time.process_time() - began)
    return {"seconds": seconds}
