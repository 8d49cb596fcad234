"""Which optional parts of an installation are on, and what turns them on."""

from dataclasses import dataclass
from importlib.util import find_spec

from pynomaly.server.web import formats
from pynomaly.server.web.language import gettext as _
from pynomaly.settings import Settings

EXTRAS = {
    "excel": "python_calamine",
    "oidc": "authlib",
    "postgres": "psycopg",
    "pyod": "pyod",
    "tensorflow": "tensorflow",
    "torch": "torch",
}
"""Optional extra -> the package by which one knows that it is installed."""


@dataclass(frozen=True, slots=True)
class Feature:
    """Something that is on or off, and the setting that says so."""

    name: str
    on: bool
    detail: str
    variable: str


@dataclass(frozen=True, slots=True)
class Extra:
    """An optional extra of the distribution."""

    name: str
    installed: bool

    @property
    def install(self) -> str:
        """The command that installs it."""
        return f"pip install 'pynomaly-platform[{self.name}]'"


def features(settings: Settings) -> list[Feature]:
    """List what can be turned on or off."""
    oidc, mail = bool(settings.oidc_issuer), bool(settings.smtp_url.get_secret_value())
    limited = bool(settings.rate_limit_per_minute)
    return [
        Feature(_("Sign-in with OpenID Connect"), oidc, settings.oidc_issuer, "PYNOMALY_OIDC_ISSUER"),
        Feature(
            _("Accounts for who signs in for the first time"),
            oidc and settings.oidc_allow_sign_up,
            _("only through OpenID Connect"),
            "PYNOMALY_OIDC_ALLOW_SIGN_UP",
        ),
        Feature(_("Mail"), mail, settings.smtp_from, "PYNOMALY_SMTP_URL"),
        Feature(
            _("Workers beside this server"),
            settings.worker_slots > 0,
            _("%(n)s jobs at once") % {"n": settings.worker_slots},
            "PYNOMALY_WORKER_SLOTS",
        ),
        Feature(
            _("Limit of requests"),
            limited,
            _("%(n)s a minute for each account or key") % {"n": formats.count(settings.rate_limit_per_minute)}
            if limited
            else "",
            "PYNOMALY_RATE_LIMIT_PER_MINUTE",
        ),
        Feature(
            _("API for pages of other sites (CORS)"),
            bool(settings.cors_origins),
            settings.cors_origins,
            "PYNOMALY_CORS_ORIGINS",
        ),
        Feature(_("Metrics for everyone"), settings.metrics_public, "/metrics", "PYNOMALY_METRICS_PUBLIC"),
        Feature(
            _("Rules of production"),
            settings.env == "prod",
            _("strong secrets, TLS, no debugging"),
            "PYNOMALY_ENV",
        ),
    ]


def extras() -> list[Extra]:
    """List the optional extras; nothing of them is loaded."""
    return [Extra(name, find_spec(package) is not None) for name, package in EXTRAS.items()]
