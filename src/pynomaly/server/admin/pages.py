"""Administrators' first pages: how the system is, a copy of the database, the settings in force."""

import sys
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, Response

import pynomaly
from pynomaly.errors import Conflict, TooManyAttempts, WrongPassword
from pynomaly.server import configuration, migrate
from pynomaly.server.access import require
from pynomaly.server.admin import backup, features, system
from pynomaly.server.db import Database, utc_now
from pynomaly.server.users.models import User
from pynomaly.server.users.service import confirm
from pynomaly.server.web import downloads, forms
from pynomaly.server.web.as_api import ApiCall
from pynomaly.server.web.deps import (
    DatabaseDep,
    PageActor,
    PasswordsDep,
    SettingsDep,
    StorageDep,
    client_address,
)
from pynomaly.server.web.forms import FormDep
from pynomaly.server.web.language import gettext as _
from pynomaly.server.web.render import render
from pynomaly.settings import Settings

router = APIRouter(include_in_schema=False)


async def _administrator(actor: PageActor) -> User:
    """Everybody else gets 403, whatever the page does."""
    require(actor, "system:read")
    return actor


Administrator = Annotated[User, Depends(_administrator)]


@router.get("/admin")
def show_system(
    request: Request, actor: Administrator, database: DatabaseDep, settings: SettingsDep
) -> HTMLResponse:
    """Show how the system is."""
    return _system(request, actor, database, settings)


@router.post("/admin/database-copy")
async def copy_database(
    request: Request,
    actor: Administrator,
    form: FormDep,
    database: DatabaseDep,
    storage: StorageDep,
    settings: SettingsDep,
    passwords: PasswordsDep,
) -> Response:
    """Download a copy of the database; it holds everything, so the password is asked for again."""
    password, address = forms.texts(form).get("password", ""), client_address(request)
    try:
        await passwords.run(confirm, database, actor, password, address=address)
        copied = await run_in_threadpool(backup.copy, database, actor, storage)
    except (WrongPassword, TooManyAttempts, Conflict) as problem:
        return await run_in_threadpool(_system, request, actor, database, settings, problem.message)
    filename = f"pynomaly {utc_now():%Y-%m-%d %H.%M}.db"
    return downloads.made(copied, filename, "application/vnd.sqlite3")


@router.get("/admin/settings")
def show_settings(request: Request, actor: Administrator, settings: SettingsDep) -> HTMLResponse:
    """Show the settings in force, and which optional parts are on."""
    rows = configuration.rows(settings)
    return render(
        request,
        "admin/settings.html",
        actor=actor,
        given=[row for row in rows if row.source != "default"],
        defaults=[row for row in rows if row.source == "default"],
        features=features.features(settings),
        extras=features.extras(),
        api_calls=[_metrics_call()],
    )


def _system(
    request: Request, actor: User, database: Database, settings: Settings, error: str = ""
) -> HTMLResponse:
    traffic = request.app.state.metrics.traffic()
    used = request.app.state.usage.used_bytes()
    with database.session(write=False) as session:
        found = system.look(session, actor, settings.home, used)
    return render(
        request,
        "admin/system.html",
        status=422 if error else 200,
        actor=actor,
        system=found,
        traffic=traffic,
        since=utc_now() - timedelta(seconds=traffic.seconds),
        version=pynomaly.__version__,
        python=".".join(map(str, sys.version_info[:3])),
        newest_schema=migrate.revisions()[-1],
        home=settings.home,
        database_address=configuration.without_password(settings.url),
        is_sqlite=database.is_sqlite,
        error=error,
        api_calls=[_metrics_call(), _health_call()],
    )


def _metrics_call() -> ApiCall:
    line = "# Prometheus reads /metrics itself, with a key that has the scope system:read"
    return ApiCall(_("Read all metrics"), "GET", "/metrics", line)


def _health_call() -> ApiCall:
    line = "# a load balancer asks /health/ready: 503 means that no request is to be sent here"
    return ApiCall(_("Ask whether it can work"), "GET", "/health", line)
