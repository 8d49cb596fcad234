"""Write docs/openapi.json, the committed description of the REST API (`make openapi`)."""

import json
import tempfile
from pathlib import Path

from pynomaly.server.web.app import create_app
from pynomaly.settings import Settings

TARGET = Path(__file__).parents[1] / "docs" / "openapi.json"


def described() -> str:
    """Describe the API as the server does."""
    with tempfile.TemporaryDirectory() as home:
        app = create_app(Settings(home=Path(home)))
        app.state.database.close()
        return json.dumps(app.openapi(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


if __name__ == "__main__":
    TARGET.write_text(described(), "utf-8")
