"""`PYNOMALY_ENV=prod` starts with no weak or known secret, no debugging, and no cookies in the open."""

import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pynomaly.errors import ConfigurationError
from pynomaly.server.production import check
from pynomaly.settings import load

GOOD = secrets.token_urlsafe(48)
TLS = {"base_url": "https://pynomaly.example"}
BAD: dict[str, dict[str, Any]] = {
    "known": TLS | {"secret_key": "changeme-changeme-changeme-changeme-1"},
    "a document's": TLS | {"secret_key": "your-secret-key-0123456789-abcdefgh"},
    "one letter": TLS | {"secret_key": "a" * 64},
    "a pattern": TLS | {"secret_key": "abc123XYZ!" * 8},
    "a row": TLS | {"secret_key": "abcdefghijklmnopqrstuvwxyzABCDEFGHIJ"},
    "few letters": TLS | {"secret_key": "akzQmTwZ4kaQzTm4wkZaTQ4mzkwaTQmZ4zkQ"},
    "short": TLS | {"secret_key": "k3!vQx7Auj0"},
    "http": {"secret_key": GOOD, "base_url": "http://pynomaly.example"},
    "no address": {"secret_key": GOOD},
    "debugging": TLS | {"secret_key": GOOD, "log_level": "debug"},
}


@pytest.mark.parametrize("what", BAD)
def test_production_refuses(what: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as refused:
        check(load(home=tmp_path, env="prod", **BAD[what]))
    assert BAD[what].get("secret_key", "?") not in str(refused.value)


def test_production_takes_good_settings_and_trying_out_takes_all(tmp_path: Path) -> None:
    check(load(home=tmp_path, env="prod", secret_key=GOOD, **TLS))
    check(load(home=tmp_path / "made", env="prod", **TLS))
    for given in BAD.values():
        if given.get("secret_key") == GOOD:
            check(load(home=tmp_path, env="dev", **given))


@pytest.mark.parametrize("what", ["known", "http", "debugging"])
def test_serve_itself_refuses(what: str, tmp_path: Path) -> None:
    """The check is not only there: the command runs it before it opens a port."""
    given = {f"PYNOMALY_{name.upper()}": str(value) for name, value in BAD[what].items()}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYNOMALY_")}
    environment |= given | {"PYNOMALY_HOME": str(tmp_path), "PYNOMALY_ENV": "prod"}
    command = [str(Path(sys.executable).with_name("pynomaly")), "serve", "--port", "0"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2, done.stderr
    assert "PYNOMALY_" in done.stderr
    assert "ready" not in done.stdout
