"""Every example in a docstring runs and prints what it says."""

import doctest
import importlib
from pathlib import Path

import pytest

import pynomaly

SOURCE = Path(pynomaly.__file__).parent
MODULES = [
    ".".join(("pynomaly", *path.relative_to(SOURCE).with_suffix("").parts)).removesuffix(".__init__")
    for path in sorted(SOURCE.rglob("*.py"))
    if ">>>" in path.read_text()
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    outcome = doctest.testmod(importlib.import_module(name))
    assert outcome.attempted
    assert not outcome.failed


def test_the_public_names_have_examples() -> None:
    assert {"pynomaly", "pynomaly.library"} <= set(MODULES)
