"""There is no default secret: one is given, or a random one is made that only its owner can read."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pynomaly.errors import ConfigurationError
from pynomaly.server.secret import _make, derive, secret
from pynomaly.settings import Settings


def test_a_random_secret_is_made_once(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "a" / "b")
    made = secret(settings)
    path = settings.home / "secret"
    assert path.stat().st_mode & 0o777 == 0o600
    assert settings.home.stat().st_mode & 0o777 == 0o700
    assert (path.read_bytes(), len(made)) == (made, 64)
    assert secret(settings) == made
    assert secret(Settings(home=tmp_path / "other")) != made
    assert [file.name for file in settings.home.iterdir()] == ["secret"]


def test_the_file_is_never_open_to_others_not_even_at_first(tmp_path: Path) -> None:
    _make(tmp_path / "secret")
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600


def test_processes_that_start_at_once_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: secret(Settings(home=tmp_path)), range(32)))) == 1


def test_a_given_secret_is_used_and_no_file_is_made(tmp_path: Path) -> None:
    given = "0123456789abcdef0123456789abcdef"
    assert secret(Settings(home=tmp_path, secret_key=given)) == given.encode()
    assert not (tmp_path / "secret").exists()


@pytest.mark.parametrize("weak", ["changeme", "a" * 64, "0123456789abcdef0123456789abcde"])
def test_a_weak_secret_is_refused_and_not_repeated(tmp_path: Path, weak: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        secret(Settings(home=tmp_path, secret_key=weak))
    assert weak not in str(caught.value)
    (tmp_path / "secret").write_text(weak)
    with pytest.raises(ConfigurationError):
        secret(Settings(home=tmp_path))


def test_a_file_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    secret(settings)
    (tmp_path / "secret").chmod(0o644)
    secret(settings)
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600


def test_a_secret_that_cannot_be_read_or_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    with pytest.raises(ConfigurationError, match="cannot be read"):
        secret(Settings(home=tmp_path))
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="cannot be written"):
        secret(Settings(home=tmp_path / "file"))


def test_each_purpose_has_its_own_key(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    keys = {derive(settings, purpose) for purpose in ("access tokens", "models", "a", "b")}
    assert {len(key) for key in keys} == {32}
    assert len(keys) == 4
    assert derive(settings, "models") in keys
    assert secret(settings) not in keys
