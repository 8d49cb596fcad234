"""What the tests of `server.process` run in a process of its own."""

import os
import sys
import time
from typing import Any

from pynomaly.errors import BadBundle


def echo(payload: dict[str, Any], _progress: Any) -> dict[str, Any]:
    """Give back what was given, after printing."""
    sys.stdout.write("not an answer")
    sys.stdout.flush()
    return {"given": payload}


def environment(_payload: dict[str, Any], _progress: Any) -> dict[str, Any]:
    """Tell the names of the environment's variables."""
    return {"names": sorted(os.environ)}


def refuse(_payload: dict[str, Any], _progress: Any) -> dict[str, Any]:
    """Raise an error of ours."""
    raise BadBundle("It says why.")


def allocate(_payload: dict[str, Any], _progress: Any) -> dict[str, Any]:
    """Take more memory than there is."""
    return {"size": len(bytearray(2**30))}


def crash(_payload: dict[str, Any], _progress: Any) -> dict[str, Any]:
    """Die as a damaged model might make a library die."""
    os.abort()


def sleep(_payload: dict[str, Any], _progress: Any) -> dict[str, Any]:
    """Take long."""
    time.sleep(60)
    return {}


def divide(_payload: dict[str, Any], _progress: Any) -> dict[str, Any]:
    """Make a mistake."""
    return {"x": 1 / 0}
