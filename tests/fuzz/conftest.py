"""One server with something in it for all roles."""

import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))
from server_process import LONG, Target, furnish, serving, working


@pytest.fixture(scope="session")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """Run `pynomaly serve` until the tests end; in a short run the worker only makes what there is."""
    home = tmp_path_factory.mktemp("fuzz")
    with serving(home) as target:
        with working(home):
            for role in ("user", "admin"):
                furnish(target.url, target.headers[role])
        with working(home) if LONG else nullcontext():
            yield target
