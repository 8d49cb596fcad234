"""One server with something in it for all roles."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))
from server_process import Target, furnish, serving


@pytest.fixture(scope="session")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """Run `pynomaly serve` until the tests end."""
    with serving(tmp_path_factory.mktemp("fuzz")) as target:
        for role in ("user", "admin"):
            furnish(target.url, target.headers[role])
        yield target
