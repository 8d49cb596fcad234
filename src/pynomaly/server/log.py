"""Logs: one JSON object per line on standard error, with the request's correlation id and without secrets."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

from pynomaly.settings import Settings

SECRET = re.compile(r"password|passwd|secret|token|authorization|cookie|api_?key|database_url", re.IGNORECASE)
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
QUIET = ("uvicorn.access", "httpx", "httpcore", "alembic")
"""Libraries whose information is noise here; their warnings are kept."""


def configure(settings: Settings) -> None:
    """Send the log lines of this process, the libraries' too, to standard error in the settings' format."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    structlog.configure(
        processors=[*_common(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=False,
    )
    handler = _StandardError()
    handler.setFormatter(_formatter(settings.log_format))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in ("uvicorn", "uvicorn.error"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
    logging.getLogger("uvicorn.error").addFilter(is_no_refusal)


def is_no_refusal(record: logging.LogRecord) -> bool:
    """Leave out what uvicorn calls an error of ours whenever a WebSocket is refused with an answer.

    See its pull request 3138. Else a stranger could fill the log with errors.
    """
    return record.msg != "ASGI callable returned without completing handshake."


class _StandardError(logging.StreamHandler[TextIO]):
    """Writes to what standard error is at the moment, not to what it was at the start."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        """Standard error now."""
        return sys.stderr


def hide_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask the values whose names say that they are secret, at any depth."""
    for name in event:
        if name != "event":
            event[name] = _masked(name, event[name])
    return event


def _masked(name: str, value: Any) -> Any:
    if SECRET.search(name):
        return "***"
    if isinstance(value, dict):
        return {key: _masked(str(key), inner) for key, inner in value.items()}
    return value


def _common() -> list[structlog.typing.Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        hide_secrets,
    ]


def _formatter(kind: str) -> logging.Formatter:
    end: list[structlog.typing.Processor]
    if kind == "console":
        plain = structlog.dev.plain_traceback  # the pretty one prints local variables, secrets too
        end = [
            _one_line,
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain),
        ]
    else:
        end = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)]
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_common(),
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *end],
    )


def _one_line(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Escape control characters: no value can forge a line or colour the terminal (JSON escapes anyway)."""
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = CONTROL.sub(lambda found: repr(found.group())[1:-1], value)
    return event
