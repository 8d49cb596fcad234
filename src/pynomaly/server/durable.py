"""Force a finished file onto the disk."""

import os
from pathlib import Path


def sync(path: Path) -> None:
    """Return once the file would survive a power loss; the transaction that adopts it then need not wait."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
