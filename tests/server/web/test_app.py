"""The application as a whole: what it imports, what it describes, and who gets in."""

import subprocess
import sys
from pathlib import Path

import anyio
import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from pynomaly.server.web.app import create_app
from pynomaly.settings import Settings

pytestmark = pytest.mark.any_database

OPEN = {
    ("POST", "/api/v1/auth/login"),
    ("POST", "/api/v1/auth/refresh"),
    ("POST", "/api/v1/auth/password-reset"),
    ("POST", "/api/v1/auth/password-reset/request"),
    ("GET", "/api/v1/auth/oidc"),
    ("GET", "/login"),
    ("POST", "/login"),
    ("POST", "/logout"),
    ("POST", "/preferences"),
    ("GET", "/setup"),
    ("POST", "/setup"),
    ("GET", "/password-reset"),
    ("POST", "/password-reset"),
    ("GET", "/oidc/login"),
    ("GET", "/oidc/callback"),
    ("GET", "/api/v1/openapi.json"),
    ("HEAD", "/api/v1/openapi.json"),
    ("GET", "/api/v1/docs"),
    ("GET", "/api/v1/redoc"),
    *(
        ("GET", prefix + path)
        for prefix in ("", "/api/v1")
        for path in ("/health", "/health/live", "/health/ready")
    ),
    ("GET", "/v2/health/live"),
    ("GET", "/v2/health/ready"),
}
NIL = "00000000-0000-4000-8000-000000000000"
HEAVY = ("numpy", "pandas", "sklearn", "numba", "scipy", "pyarrow", "polars")


def routes(app: FastAPI) -> list[tuple[str, str]]:
    """Every method and path of the application."""
    found = []
    for route in iter_route_contexts(app.routes):
        for method in sorted(getattr(route, "methods", None) or ()):
            path = str(route.path).replace("{id}", NIL).replace("{id_}", NIL)
            found.append((method, path))
    return found


def test_strangers_get_in_nowhere_but_where_they_should(app: FastAPI, client: httpx.Client) -> None:
    everything = routes(app)
    assert len(everything) > 40
    assert set(everything) >= OPEN
    for method, path in everything:
        if (method, path) in OPEN:
            continue
        for odd in (path, path + "?x=1"):
            answer = client.request(method, odd, headers={"Sec-Fetch-Site": "same-origin"})
            assert answer.status_code == 401, (method, odd, answer.text)
        for odd in ("/" + path, path + "/", path.replace("/api", "/api/.")):
            answer = client.request(method, odd, headers={"Sec-Fetch-Site": "same-origin"})
            assert answer.status_code in (401, 404, 405), (method, odd, answer.text)


def test_every_get_answers_without_a_bug(app: FastAPI, browser: httpx.Client) -> None:
    for method, path in routes(app):
        if method == "GET":
            for accept in ("text/html", "application/json"):
                answer = browser.get(path, headers={"Accept": accept})
                assert answer.status_code < 500, (path, answer.text)


SCRIPT = """
import sys, threading
from pathlib import Path
import httpx, uvicorn
from fastapi.routing import iter_route_contexts
from pynomaly.server.db import Base, Database, load_models
from pynomaly.server.log import configure
from pynomaly.server.users.service import create_user
from pynomaly.server.web.app import create_app
from pynomaly.settings import Settings

settings = Settings(home=Path(sys.argv[1]), log_level="error")
configure(settings)
database = Database(settings)
load_models()
Base.metadata.create_all(database.engine)
with database.session() as session:
    create_user(session, "ada@example.org", "correct horse battery", role="admin")
app = create_app(settings, database)
server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None))
ready = threading.Event()
original = server.startup

async def startup(sockets=None):
    await original(sockets)
    ready.set()

server.startup = startup
thread = threading.Thread(target=server.run)
thread.start()
ready.wait(20)
port = server.servers[0].sockets[0].getsockname()[1]
url = f"http://127.0.0.1:{port}"
with httpx.Client(base_url=url, headers={"Origin": url, "Accept": "text/html"}, timeout=60) as client:
    client.post("/login", data={"email": "ada@example.org", "password": "correct horse battery"})
    for route in iter_route_contexts(app.routes):
        for method in getattr(route, "methods", None) or ():
            client.request(method, route.path.replace("{id}", "x").replace("{id_}", "x"))
server.should_exit = True
thread.join()
database.close()
print([name for name in sys.argv[2:] if name in sys.modules])
"""


def test_the_api_process_imports_no_numeric_library(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SCRIPT, str(tmp_path), *HEAVY]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


def test_static_files_stay_in_their_folder(client: httpx.Client) -> None:
    for path in ("../app.py", "%2e%2e/app.py", "..%2fapp.py", "%252e%252e/app.py", "/etc/passwd"):
        answer = client.get(f"/static/{path}")
        assert answer.status_code == 404
        assert "create_app" not in answer.text


def test_an_application_closes_the_database_that_it_opened(settings: Settings) -> None:
    app = create_app(settings)

    async def live() -> None:
        async with app.router.lifespan_context(app):
            with app.state.database.session(write=False) as session:
                session.connection()
            assert app.state.database.engine.pool.checkedin() == 1

    anyio.run(live)
    assert app.state.database.engine.pool.checkedin() == 0
