"""The settings of a Pynomaly installation: one class, every field with a default and a help text.

Each field is read from the environment variable `PYNOMALY_<FIELD>`.
"""

import os
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from platformdirs import user_data_path
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from pynomaly.errors import ConfigurationError

MIB = 1024 * 1024


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

    max_upload_mib: int = Field(2048, ge=1, description="Largest upload, in MiB.")
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

    @cached_property
    def url(self) -> str:
        """The SQLAlchemy URL in use."""
        return self.database_url or f"sqlite:///{self.home / 'pynomaly.db'}"

    @property
    def public_url(self) -> str:
        """The web UI's address as users see it."""
        return self.base_url.rstrip("/") or f"http://{self.host}:{self.port}"


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
