"""The installation's one secret (given, or made at first use), and the keys derived from it."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path
from typing import TextIO

from pynomaly.errors import ConfigurationError
from pynomaly.settings import Settings

SECRET_BYTES = 32
MIN_LENGTH = 32


def secret(settings: Settings) -> bytes:
    """Return the secret of `settings`, else the one in `home/secret` (mode 0600, made when missing).

    Raises ConfigurationError when it is too short or its file cannot be used.
    """
    given = settings.secret_key.get_secret_value()
    if given:
        return _checked(given.encode(), "PYNOMALY_SECRET_KEY")
    path = settings.home / "secret"
    if not path.exists():
        _make(path)
    return _checked(_read(path), str(path))


def derive(settings: Settings, purpose: str) -> bytes:
    """Derive the 32-byte key for one purpose ("access tokens", "models"): no key serves two.

    HMAC-SHA256 of the purpose under the secret, which is the expand step of HKDF (RFC 5869) for one block.
    """
    return hmac.digest(secret(settings), purpose.encode() + b"\x01", hashlib.sha256)


def _checked(value: bytes, where: str) -> bytes:
    if len(value) < MIN_LENGTH or len(set(value)) < 8:
        raise ConfigurationError(
            f"The secret in {where} is too weak: {MIN_LENGTH} random characters or more."
        )
    return value


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
        return path.read_bytes().strip()
    except OSError as error:
        raise ConfigurationError(f"The secret in {path} cannot be read: {error.strerror}.") from error


def _make(path: Path) -> None:
    """Write a new secret whole or not at all; of several processes starting at once, the first wins."""
    draft = path.with_name(f".secret-{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            _publish(draft, path, file)
    except OSError as error:
        raise ConfigurationError(f"The secret in {path} cannot be written: {error.strerror}.") from error


def _publish(draft: Path, path: Path, file: TextIO) -> None:
    try:
        file.write(secrets.token_hex(SECRET_BYTES))
        file.flush()
        os.fsync(file.fileno())
        os.link(draft, path)  # fails when it exists, where a rename would replace it
    except FileExistsError:
        return
    finally:
        draft.unlink()
