"""A trained detector of the ordinary user."""

import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from trained_rows import Trained, train


@pytest.fixture
def trained(api: httpx.Client, worker: Any) -> Trained:
    """A trained detector of the ordinary user."""
    return train(api)
