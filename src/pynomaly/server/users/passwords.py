"""Passwords: what is accepted, how they are hashed, and how they are checked in constant time."""

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from pynomaly.errors import BadAccount

MIN_LENGTH = 12
MAX_LENGTH = 1024
HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""Argon2id with 19 MiB (OWASP Password Storage Cheat Sheet, 2023): about 25 ms of one core."""


def hash_password(password: str, email: str = "", field: str = "password") -> str:
    """Hash a new password; BadAccount, about `field`, when it is too easy to guess, or too long."""
    pointer = f"#/{field}"
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise BadAccount(f"The password must have {MIN_LENGTH} to {MAX_LENGTH} characters.", pointer=pointer)
    if password.strip().lower() == email.strip().lower():
        raise BadAccount("The password must not be the e-mail address.", pointer=pointer)
    if len(set(password)) < 4:
        raise BadAccount("The password must have at least 4 different characters.", pointer=pointer)
    return HASHER.hash(_encoded(password))


def is_right(password_hash: str, password: str) -> bool:
    """Tell whether `password` is the one hashed; "" (no account, or none with a password) takes as long."""
    try:
        HASHER.verify(password_hash or _nobody(), _encoded(password[: MAX_LENGTH + 1]))
    except (VerificationError, InvalidHashError):
        return False
    return bool(password_hash)


def warm_up() -> None:
    """Prepare for unknown accounts, so that the first of them does not take longer either."""
    _nobody()


@cache
def _nobody() -> str:
    """Hash of a password that nobody has."""
    return HASHER.hash(b"nobody's password")


def _encoded(password: str) -> bytes:
    """Lone surrogates, which UTF-8 cannot hold, must not be an error of ours."""
    return password.encode("utf-8", "surrogatepass")
