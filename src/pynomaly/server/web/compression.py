"""Compressed answers (zstd, Brotli, gzip) for who asks for them; what is compressed already stays."""

from fastapi import FastAPI
from starlette_compress import CompressMiddleware, add_compress_type

from pynomaly.server.web.errors import MEDIA_TYPE

SMALLEST = 1024
"""Fewer bytes than this fit into one packet anyway."""


def install(app: FastAPI) -> None:
    """Compress the answers of `app`."""
    for kind in (MEDIA_TYPE, "application/x-ndjson", "text/csv"):
        add_compress_type(kind)
    app.add_middleware(CompressMiddleware, minimum_size=SMALLEST)
