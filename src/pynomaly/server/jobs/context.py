"""What a task's functions may use when a request, not a worker, ends its job."""

from typing import Annotated

from fastapi import Depends

from pynomaly.server.jobs.tasks import Context
from pynomaly.server.web.deps import SettingsDep, StorageDep


def get_context(settings: SettingsDep, storage: StorageDep) -> Context:
    """The application's settings and storage."""
    return Context(settings, storage)


ContextDep = Annotated[Context, Depends(get_context)]
