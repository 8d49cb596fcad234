"""The settings in force, for people to read: secrets masked, and where each value comes from."""

import os
import re
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import SecretStr

from pynomaly.settings import Settings

MASK = "********"
SECRET = re.compile(r"pass|key|secret|token", re.IGNORECASE)
Source = Literal["default", "environment", "command line"]


@dataclass(frozen=True, slots=True)
class Row:
    """One setting: its variable, its value, where the value comes from, what it means."""

    variable: str
    value: str | int | float
    source: Source
    help: str
    secret: bool
    """The value is masked, or empty when none is set."""


def rows(settings: Settings) -> list[Row]:
    """List every setting."""
    return [_row(settings, name) for name in Settings.model_fields]


def _row(settings: Settings, name: str) -> Row:
    variable, value = f"PYNOMALY_{name.upper()}", getattr(settings, name)
    return Row(
        variable,
        _shown(name, value),
        _source(settings, name, variable),
        Settings.model_fields[name].description or "",
        isinstance(value, SecretStr),
    )


def _source(settings: Settings, name: str, variable: str) -> Source:
    if name not in settings.model_fields_set:
        return "default"
    known = {key.upper() for key in os.environ}
    return "environment" if variable in known else "command line"


def _shown(name: str, value: Any) -> str | int | float:
    if isinstance(value, SecretStr):
        return MASK if value.get_secret_value() else ""
    if name == "database_url":
        return without_password(value)
    return value if isinstance(value, int | float) else str(value if value is not None else "")


def without_password(url: str) -> str:
    """Mask the password of a database's address, which may also stand in the query."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    if not url:
        return ""
    try:
        parsed = make_url(url)
    except ArgumentError:
        return MASK
    query = {key: MASK if SECRET.search(key) else value for key, value in parsed.query.items()}
    return parsed.set(query=query).render_as_string(hide_password=True)
