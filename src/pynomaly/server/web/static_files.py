"""The web UI's own files: stylesheets, scripts, icons."""

from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FOLDER = Path(__file__).resolve().parent / "static"
A_YEAR = "public, max-age=31536000, immutable"
ASK_AGAIN = "public, no-cache"


class CachedFiles(StaticFiles):
    """Files whose address changes with their content are kept for a year, others asked for again.

    That is a hash in the address (`?v=…`), or a version in a font's name: stylesheets cannot know the hash.
    """

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Serve one file with its cache header."""
        response = await super().get_response(path, scope)
        versioned = scope["query_string"].startswith(b"v=") or path.endswith(".woff2")
        response.headers["Cache-Control"] = A_YEAR if versioned else ASK_AGAIN
        return response
