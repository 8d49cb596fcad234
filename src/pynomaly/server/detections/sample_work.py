"""What runs in the process of a job that makes a sample table a dataset."""

from collections.abc import Callable
from typing import Any

from pynomaly import samples
from pynomaly.server.datasets import work


def run(payload: dict[str, Any], progress: Callable[[float, str], None]) -> dict[str, Any]:
    """Write the table as a CSV file and read that as any upload is read."""
    progress(0.0, "making the sample table")
    samples.write_csv(payload["sample"], payload["source"])
    return work.run(payload, progress) | {"source": payload["source"]}
