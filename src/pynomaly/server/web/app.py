"""The web application: puts the features' routes behind the guard and the edge."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache, partial
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.telemetry import TelemetryConfig
from starlette.concurrency import run_in_threadpool
from starlette.routing import BaseRoute

import pynomaly
from pynomaly.server import production
from pynomaly.server.admin import api as admin_api
from pynomaly.server.admin import audit_api, audit_pages, reset_pages, user_pages
from pynomaly.server.admin import pages as admin_pages
from pynomaly.server.datasets import api as datasets_api
from pynomaly.server.datasets import import_pages, imports_api, manage_pages, upload_pages, uploads_api
from pynomaly.server.datasets import pages as datasets_pages
from pynomaly.server.db import Database
from pynomaly.server.detections import api as detections_api
from pynomaly.server.detections import (
    compare_pages,
    history_pages,
    result_forms,
    samples_pages,
    threshold_api,
    triage_pages,
)
from pynomaly.server.detections import form_pages as detect_pages
from pynomaly.server.detections import pages as detections_pages
from pynomaly.server.detections.removal import AllResults
from pynomaly.server.detectors import api as detectors_api
from pynomaly.server.detectors import bundle_pages, removal_pages, share_pages, versions_pages
from pynomaly.server.detectors import form_pages as detector_form_pages
from pynomaly.server.detectors import pages as detectors_pages
from pynomaly.server.inference import api as inference_api
from pynomaly.server.jobs import api as jobs_api
from pynomaly.server.jobs import pages as jobs_pages
from pynomaly.server.live import api as live_api
from pynomaly.server.live.hub import Hub
from pynomaly.server.mail import Mail
from pynomaly.server.metrics import Metrics
from pynomaly.server.scoring import api as scoring_api
from pynomaly.server.scoring.scorer import Scorer
from pynomaly.server.storage import LocalStorage
from pynomaly.server.users import account_pages, key_pages, keys_api, oidc_pages, passwords, sessions_api
from pynomaly.server.users import api as users_api
from pynomaly.server.users import pages as users_pages
from pynomaly.server.users.last_used import LastUsed
from pynomaly.server.users.pool import PasswordPool
from pynomaly.server.users.sign_in import provider_of
from pynomaly.server.users.tokens import AccessTokens
from pynomaly.server.web import compression, cors, description, errors, health, home, preferences, reference
from pynomaly.server.web.callers import Callers
from pynomaly.server.web.edge import Edge
from pynomaly.server.web.guard import Guard
from pynomaly.server.web.language import Languages
from pynomaly.server.web.rate import RateLimits
from pynomaly.server.web.schema import ProblemAnswer
from pynomaly.server.web.sockets import SocketGuard
from pynomaly.server.web.static_files import FOLDER, CachedFiles
from pynomaly.server.web.system import Usage
from pynomaly.settings import Settings

PREFIX = "/api/v1"
API = (
    users_api,
    sessions_api,
    keys_api,
    uploads_api,
    datasets_api,
    imports_api,
    detectors_api,
    detections_api,
    threshold_api,
    scoring_api,
    jobs_api,
    admin_api,
    audit_api,
    health,
    reference,
)
PAGES = (
    home,
    preferences,
    users_pages,
    oidc_pages,
    account_pages,
    key_pages,
    upload_pages,
    import_pages,
    manage_pages,
    datasets_pages,
    detector_form_pages,
    bundle_pages,
    detectors_pages,
    compare_pages,
    history_pages,
    triage_pages,
    samples_pages,
    detect_pages,
    versions_pages,
    share_pages,
    removal_pages,
    detections_pages,
    result_forms,
    jobs_pages,
    admin_pages,
    reset_pages,
    user_pages,
    audit_pages,
    health,
    live_api,
)
NO_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "operation_spans": False}
PROBLEM = {"model": ProblemAnswer, "description": "An error (RFC 9457)."}


class Application(FastAPI):
    """FastAPI, but its description of the API is completed from what the routes do."""

    def openapi(self) -> dict[str, Any]:
        """Describe the API."""
        if self.openapi_schema is None:
            schema = super().openapi()
            description.complete(self, schema)
        return super().openapi()


def create_app(settings: Settings, database: Database | None = None) -> FastAPI:
    """Make the application; the database must be up to date (`pynomaly db upgrade`).

    `database` is closed at shutdown only when it is made here.
    """
    production.check(settings)
    app = Application(
        title="Pynomaly",
        version=pynomaly.__version__,
        description="Find the unusual rows in a table, and say why each is unusual.",
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,  # its pages load scripts from elsewhere; ours: `reference`
        redoc_url=None,
        redirect_slashes=False,  # the redirect would repeat the Host header
        telemetry=NO_TELEMETRY,
        lifespan=partial(_lifespan, owns_database=database is None),
    )
    _equip(app, settings, database or Database(settings))
    app.router.routes.extend(_routes())
    app.mount("/static", CachedFiles(directory=FOLDER), name="static")
    app.add_middleware(Guard, settings=settings)
    app.add_middleware(SocketGuard, settings=settings)
    compression.install(app)
    cors.allow(app, settings)
    app.add_middleware(Languages)
    app.add_middleware(Edge, settings=settings, metrics=app.state.metrics)
    errors.install(app)
    return app


@cache
def _routes() -> list[BaseRoute]:
    """Every route, for all applications of a process: looking at them all takes FastAPI 0.2 s."""
    router = APIRouter(responses={422: PROBLEM})
    for module in API:
        router.include_router(module.router, prefix=PREFIX)
    router.include_router(inference_api.probes)
    router.include_router(inference_api.router)
    for module in PAGES:
        router.include_router(module.router, include_in_schema=False)
    return router.routes


def _equip(app: FastAPI, settings: Settings, database: Database) -> None:
    """Hang up what `deps` hands out to the routes."""
    app.state.settings = settings
    app.state.database = database
    app.state.storage = LocalStorage(settings.home)
    app.state.results = AllResults()
    app.state.tokens = AccessTokens(settings)
    app.state.callers = Callers(database, app.state.tokens, settings)
    app.state.passwords = PasswordPool()
    app.state.last_used = LastUsed(database)
    app.state.mail = Mail(settings)
    app.state.provider = provider_of(settings)
    app.state.scorer = Scorer(settings)
    app.state.live = Hub(database)
    app.state.usage = Usage(app.state.storage)
    app.state.rate_limits = RateLimits(settings)
    app.state.metrics = Metrics()
    app.state.metrics.watch_jobs(partial(health.count_jobs, database))


@asynccontextmanager
async def _lifespan(app: FastAPI, *, owns_database: bool) -> AsyncIterator[None]:
    passwords.warm_up()
    async with app.state.last_used.being_written():
        yield
    await run_in_threadpool(app.state.mail.close)
    await app.state.live.close()
    await run_in_threadpool(app.state.scorer.close)
    if owns_database:
        app.state.database.close()
