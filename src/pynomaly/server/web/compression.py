"""Compressed answers (zstd, Brotli, gzip) for who asks for them; what is compressed already stays."""

from fastapi import FastAPI
from starlette.types import Receive, Scope, Send
from starlette_compress import CompressMiddleware, add_compress_type

from pynomaly.server.web.errors import MEDIA_TYPE

SMALLEST = 1024
"""Fewer bytes than this fit into one packet anyway."""
FILES = ("/download", "/export", "/bundle")
"""Ends of the addresses of files."""


class Compression(CompressMiddleware):
    """Compresses answers, but not files: they have a length, and parts of them may be asked for."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http" and scope["path"].endswith(FILES):
            await self.app(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def install(app: FastAPI) -> None:
    """Compress the answers of `app`."""
    for kind in (MEDIA_TYPE, "application/x-ndjson", "text/csv"):
        add_compress_type(kind)
    app.add_middleware(Compression, minimum_size=SMALLEST)
