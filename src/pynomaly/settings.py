"""The settings of a Pynomaly installation: one class, every field with a default and a help text.

Each field is read from the environment variable `PYNOMALY_<FIELD>`.
"""

import os
import re
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from platformdirs import user_data_path
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from pynomaly.errors import ConfigurationError

MIB = 1024 * 1024
_ORIGIN = re.compile(r"https?://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")


class Settings(BaseSettings):
    """All settings; `pynomaly config show` prints them with secrets masked."""

    model_config = SettingsConfigDict(env_prefix="PYNOMALY_", extra="ignore")

    env: Literal["dev", "prod"] = Field("dev", description="Kind of installation.")
    home: Path = Field(
        default_factory=lambda: user_data_path("pynomaly"),
        description="Folder for the database, the stored files and the secret.",
    )
    database_url: str = Field("", description="SQLAlchemy URL; empty: SQLite in the home folder.")
    secret_key: SecretStr = Field(
        SecretStr(""),
        description="Signs tokens and models; empty: a random one, kept in the home folder (0600).",
    )
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on.")
    base_url: str = Field("", description="Public address of the web UI; empty: http://host:port.")
    trusted_proxies: str = Field(
        "",
        description="Addresses of proxies (comma-separated) whose X-Forwarded-For is believed; empty: none.",
    )
    admin_email: str = Field(
        "", description="E-mail address of the first administrator, made at first start."
    )
    admin_password_file: Path | None = Field(
        None, description="File that holds the first administrator's password."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least level that is logged."
    )
    log_format: Literal["json", "console"] = Field("json", description="How log lines look.")

    memory_mib: int = Field(
        4096, ge=256, description="About how much memory a detection outside the server may use, in MiB."
    )
    threads: int | None = Field(
        None, ge=1, description="Most CPUs that one detection uses; empty: those that the process may use."
    )
    worker_slots: int = Field(
        default_factory=lambda: max(1, min(4, (os.cpu_count() or 2))),
        ge=0,
        description="Jobs that `serve` runs at once; 0: none, run `pynomaly worker` elsewhere.",
    )
    job_memory_mib: int = Field(2048, ge=256, description="Most memory that one job may use, in MiB.")
    job_timeout_seconds: int = Field(3600, ge=1, description="Longest time that one job may run.")
    job_max_attempts: int = Field(3, ge=1, description="How often a job whose process died is tried.")
    job_lease_seconds: int = Field(15, ge=2, description="How long a worker owns a job without a heartbeat.")

    scoring_memory_mib: int = Field(
        1024, ge=256, description="Most memory that the process may use that scores rows at once, in MiB."
    )
    scoring_timeout_seconds: float = Field(
        20, gt=0, le=300, description="Longest time that scoring one request's rows may take."
    )

    max_upload_mib: int = Field(2048, ge=1, description="Largest upload, in MiB.")
    max_uploads: int = Field(20, ge=1, description="Most unfinished uploads of one account.")
    upload_hours: float = Field(
        48, gt=0, description="Hours that an unfinished upload is kept after its last part."
    )
    max_model_mib: int = Field(512, ge=1, description="Largest model file to be imported, in MiB.")
    max_table_mib: int = Field(16384, ge=1, description="Largest uncompressed table, in MiB.")
    max_columns: int = Field(2000, ge=1, description="Most columns of a table.")
    max_bad_rows: float = Field(
        0.01, ge=0, le=1, description="Largest share of unreadable rows before a file is refused."
    )
    max_explained_rows: int = Field(
        10_000, ge=0, description="Most flagged rows that get reasons, highest scores first."
    )
    access_token_minutes: int = Field(10, ge=1, description="Lifetime of an access token.")
    refresh_token_days: int = Field(30, ge=1, description="Lifetime of a refresh token.")
    session_days: int = Field(14, ge=1, description="Lifetime of a browser session.")
    audit_log_days: int = Field(0, ge=0, description="Days that the audit log goes back; 0: for ever.")
    allow_http: bool = Field(
        False,
        description="In production, allow a public address without TLS, which shows cookies to the network.",
    )

    smtp_url: SecretStr = Field(
        SecretStr(""),
        description="Mail server, smtp://user:password@host:587 or smtps://host:465; empty: no mail is sent.",
    )
    smtp_from: str = Field("", description="E-mail address that mail comes from.")

    oidc_issuer: str = Field("", description="OpenID Connect provider to sign in with; empty: none.")
    oidc_client_id: str = Field("", description="What the provider calls this installation.")
    oidc_client_secret: SecretStr = Field(
        SecretStr(""), description="The secret that the provider gave with the client id; empty: none."
    )
    oidc_name: str = Field("single sign-on", description="The provider's name on the log-in page.")
    oidc_scopes: str = Field("openid email profile", description="Scopes that the provider is asked for.")
    oidc_allow_sign_up: bool = Field(
        True, description="Make an account for whoever signs in for the first time."
    )
    oidc_link_by_email: bool = Field(
        False,
        description="Let whoever the provider says owns an account's e-mail address sign in to that account.",
    )
    oidc_group_claim: str = Field("groups", description="Claim that lists a person's groups.")
    oidc_role_map: str = Field(
        "",
        description="Roles of groups, group=role,… or JSON, at each sign-in; empty: roles are set here.",
    )
    oidc_default_role: Literal["admin", "user", "viewer", "none"] = Field(
        "viewer",
        description="Role of new accounts, and of people in no mapped group; none: they may not sign in.",
    )

    rate_limit_per_minute: int = Field(
        300_000, ge=0, description="Most requests of one account or API key in a minute; 0: no limit."
    )
    rate_limit_anonymous_per_minute: int = Field(
        30_000,
        ge=0,
        description="Most requests of one address without valid credentials in a minute; 0: no limit.",
    )
    body_timeout_seconds: int = Field(
        30, ge=1, description="Longest wait for the next part of a request's body."
    )
    cors_origins: str = Field(
        "",
        description="Origins (comma-separated) whose pages may call the API with a token; empty: none.",
    )
    metrics_public: bool = Field(
        False, description="Show /metrics to everyone; otherwise it needs the permission system:read."
    )

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, given: str) -> str:
        for origin in _listed(given):
            if not _ORIGIN.fullmatch(origin):
                raise ValueError("list origins such as https://app.example.org, without a path, and no *")
        return given

    @property
    def allowed_origins(self) -> list[str]:
        """The origins whose pages may call the API."""
        return _listed(self.cors_origins)

    @cached_property
    def url(self) -> str:
        """The SQLAlchemy URL in use."""
        return self.database_url or f"sqlite:///{self.home / 'pynomaly.db'}"

    @property
    def public_url(self) -> str:
        """The web UI's address as users see it."""
        return self.base_url.rstrip("/") or f"http://{self.host}:{self.port}"


def _listed(text: str) -> list[str]:
    return [one for part in text.split(",") if (one := part.strip())]


def load(**given: Any) -> Settings:
    """Read the settings, `given` ones before those of the environment (None: not given).

    Raises ConfigurationError that names the variable; the value is not repeated, since it may be a secret.
    """
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = "_".join(str(step) for step in first["loc"]).upper()
        raise ConfigurationError(f"PYNOMALY_{name} cannot be used: {first['msg']}.") from error
