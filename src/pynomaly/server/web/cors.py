"""Cross-origin requests: pages of the origins in the settings may call the API with a token."""

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from pynomaly.settings import Settings

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
SENT = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "Prefer",
    "X-API-Key",
    "X-Request-ID",
)
READ = (
    "Content-Disposition",
    "ETag",
    "Idempotency-Replayed",
    "Link",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "X-Request-ID",
)


def allow(app: FastAPI, settings: Settings) -> None:
    """Answer the origins of the settings; without any, no answer has a CORS header.

    Credentials that a browser adds by itself are never allowed: no other site can act as who is logged in.
    """
    if origins := settings.allowed_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_credentials=False,
            allow_methods=METHODS,
            allow_headers=SENT,
            expose_headers=READ,
            max_age=600,
        )
