"""PYNOMALY_ENV=prod refuses what is good enough for trying things out only, each with one clear error."""

import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pynomaly.errors import ConfigurationError
from pynomaly.server.production import check
from pynomaly.server.web.app import create_app
from pynomaly.server.work import work
from pynomaly.settings import Settings

GOOD = "Zx7Qm2Lr9Tb4Wd8Kp3Vf6Hn1Jc5Ys0Ga"
WEAK = {
    "too short": "Zx7Qm2Lr9Tb4Wd8",
    "one letter": "a" * 64,
    "repeated": "Zx7Qm2Lr" * 8,
    "repeated often": "Zx7Qm2Lr9Tb4Wd8K" * 2,
    "alphabet": "abcdefghijklmnopqrstuvwxyzABCDEFGHIJ",
    "digits": "98765432109876543210987654321098765",
    "doubled": "aabbccddeeffgghhiijjkkllmmnnooppqqrr",
    "known": "changeme-changeme-4Wd8Kp3Vf6Hn1Jc5Ys",
    "of a document": "your-secret-key-here-Zx7Qm2Lr9Tb4Wd8Kp",
    "of an example": "0123456789abcdefZx7Qm2Lr9Tb4Wd8Kp3Vf6",
    "named for us": "Pynomaly-2026-Zx7Qm2Lr9Tb4Wd8Kp3Vf6Hn1",
}


def production(home: Path, **values: Any) -> Settings:
    """Settings that are good for production, but for `values`."""
    good = {"env": "prod", "home": home, "secret_key": GOOD, "base_url": "https://pynomaly.example"}
    return Settings(**{**good, **values})


def test_good_settings_pass(tmp_path: Path) -> None:
    check(production(tmp_path))
    check(production(tmp_path, secret_key=""))  # a random one is made
    create_app(production(tmp_path))


def test_random_secrets_pass(tmp_path: Path) -> None:
    for make in (secrets.token_hex, secrets.token_urlsafe):
        for _ in range(500):
            check(production(tmp_path, secret_key=make(32)))


@pytest.mark.parametrize("name", WEAK)
def test_weak_and_known_secrets_are_refused_and_not_repeated(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match="SECRET_KEY") as caught:
        check(production(tmp_path, secret_key=WEAK[name]))
    assert WEAK[name] not in str(caught.value)


def test_a_weak_secret_in_the_file_is_refused_too(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(WEAK["known"])
    with pytest.raises(ConfigurationError, match="SECRET_KEY"):
        check(production(tmp_path, secret_key=""))


@pytest.mark.parametrize("address", ["", "http://pynomaly.example", "ftp://x"])
def test_cookies_need_tls(tmp_path: Path, address: str) -> None:
    with pytest.raises(ConfigurationError, match="PYNOMALY_BASE_URL"):
        check(production(tmp_path, base_url=address))
    check(production(tmp_path, base_url=address, allow_http=True))


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"log_level": "debug"}, "PYNOMALY_LOG_LEVEL"),
        (
            {"oidc_issuer": "https://id.example", "oidc_client_id": "x", "oidc_client_secret": "short"},
            "PYNOMALY_OIDC_CLIENT_SECRET",
        ),
    ],
)
def test_other_settings_for_trying_out_are_refused(tmp_path: Path, values: dict[str, Any], name: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        check(production(tmp_path, **values))


def test_elsewhere_nothing_is_refused(tmp_path: Path) -> None:
    check(production(tmp_path, env="dev", base_url="", log_level="debug", secret_key=WEAK["known"]))


def test_app_and_worker_ask(tmp_path: Path) -> None:
    bad = production(tmp_path, log_level="debug")
    with pytest.raises(ConfigurationError, match="PYNOMALY_LOG_LEVEL"):
        create_app(bad)
    with pytest.raises(ConfigurationError, match="PYNOMALY_LOG_LEVEL"):
        work(bad)


@pytest.mark.parametrize("verb", ["serve", "worker"])
def test_the_command_says_it_in_one_line_and_makes_nothing(tmp_path: Path, verb: str) -> None:
    environment = {
        **os.environ,
        "PYNOMALY_ENV": "prod",
        "PYNOMALY_HOME": str(tmp_path / "home"),
        "PYNOMALY_PORT": "0",
        "PYNOMALY_SECRET_KEY": WEAK["known"],
    }
    command = [sys.executable, "-m", "pynomaly", verb]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("pynomaly: error: PYNOMALY_SECRET_KEY")
    assert WEAK["known"] not in done.stderr + done.stdout
    assert not (tmp_path / "home" / "pynomaly.db").exists()
