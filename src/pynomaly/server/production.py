"""What an installation for production refuses: secrets that others know, cookies in the open, chatter."""

import re
from itertools import pairwise

from pynomaly.errors import ConfigurationError
from pynomaly.server.secret import secret
from pynomaly.settings import Settings

KNOWN = re.compile(
    r"change.?me|replace.?(me|this)|example|default|insecure|place.?holder|password|passw0rd|letmein|pynomaly"
    r"|secret|qwerty|dev.?key|test.?key|your.?key|correct.?horse|0123456789abcdef|deadbeef",
    re.IGNORECASE,
)
"""Words of documents and examples, which a random secret practically never holds."""


def check(settings: Settings) -> None:
    """Refuse settings that are good enough for trying things out only; nothing when that is what it is for.

    Raises ConfigurationError that names the setting, and never repeats a secret.
    """
    if settings.env != "prod":
        return
    _check_secret(secret(settings))
    if not settings.public_url.startswith("https://") and not settings.allow_http:
        raise ConfigurationError(
            "In production PYNOMALY_BASE_URL must begin with https://, since cookies must not be seen on the "
            "way; PYNOMALY_ALLOW_HTTP=true allows http."
        )
    if settings.log_level == "debug":
        raise ConfigurationError(
            "In production PYNOMALY_LOG_LEVEL must not be debug: its lines tell too much."
        )
    _check_provider(settings)


def _check_secret(value: bytes) -> None:
    text = value.decode("utf-8", "replace")
    if KNOWN.search(text):
        raise ConfigurationError("PYNOMALY_SECRET_KEY holds words of an example: use random characters.")
    if text in (text + text)[1:-1] or _runs(value) > len(value) // 2 or len(set(value)) < 10:
        raise ConfigurationError("PYNOMALY_SECRET_KEY follows a pattern: use random characters.")


def _runs(value: bytes) -> int:
    """Count the characters that equal the one before, or follow it in the alphabet."""
    return sum(abs(after - before) <= 1 for before, after in pairwise(value))


def _check_provider(settings: Settings) -> None:
    given = settings.oidc_client_secret.get_secret_value()
    if settings.oidc_issuer and given and (len(given) < 16 or KNOWN.search(given)):
        raise ConfigurationError("PYNOMALY_OIDC_CLIENT_SECRET is too weak, or one of an example.")
