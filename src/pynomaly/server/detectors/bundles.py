"""Model files that leave an installation, as they are, and come into one, only when they are sound."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from pynomaly.errors import BadBundle, Killed, OutOfMemory, TimedOut
from pynomaly.server import audit, process
from pynomaly.server.access import find, require
from pynomaly.server.db import new_id
from pynomaly.server.detectors import service
from pynomaly.server.detectors.models import Detector
from pynomaly.server.detectors.tasks import model_key
from pynomaly.server.detectors.versions import version_of
from pynomaly.server.names import MAX_NAME, check_name, plain_filename
from pynomaly.server.storage import LocalStorage
from pynomaly.server.users.models import User
from pynomaly.settings import Settings

WORK = "pynomaly.server.detectors.bundle_work:run"
SUFFIX = ".pynomaly"
MEDIA_TYPE = "application/vnd.pynomaly.model"
SECONDS = 120
"""Longest time that a file may take to be checked."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A version's model file, signed by this installation."""

    path: Path
    filename: str


def export(session: Session, actor: User, storage: LocalStorage, id_: str, version: str | None) -> Bundle:
    """Find a version's file (None: the one in use); it holds some training rows, so it is for the owner.

    Raises:
        NotFound, Forbidden: the actor may not see, or does not own it; or there is no such version.
        NotReady: none is in use.
    """
    detector = find(session, actor, Detector, id_, need="own")
    model = version_of(session, detector, version)
    return Bundle(storage.open_path(model.blob_key), f"{detector.name} {model.version}{SUFFIX}")


@dataclass(frozen=True, slots=True)
class Checked:
    """A model file that was found to be sound, and written anew with this installation's signature."""

    path: Path
    described: dict[str, Any]
    seed: int
    choice: dict[str, Any]


def check(actor: User, storage: LocalStorage, settings: Settings, source: Path) -> Checked:
    """Check a file in a limited process of its own: nothing of it is parsed here.

    Raises:
        BadBundle: it is damaged, was changed, is no model, or none that can be used here.
        MissingExtra: its algorithm needs a package that is not installed.
        Busy: too many are being checked.
        Forbidden: the actor may only look.
    """
    require(actor, "detectors:write")
    target = storage.temp(SUFFIX)
    payload = {"source": str(source), "target": str(target), "key": model_key(settings).hex()}
    try:
        found = process.run(WORK, payload, memory_mib=settings.job_memory_mib, timeout_seconds=SECONDS)
    except (OutOfMemory, TimedOut, Killed) as error:
        target.unlink(missing_ok=True)
        raise BadBundle("The model file takes more memory or time than it may.") from error
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return Checked(target, **found)


def add(
    session: Session, actor: User, storage: LocalStorage, checked: Checked, filename: str, name: str | None
) -> Detector:
    """Make a detector of a checked file; its first version is in use at once.

    Raises:
        BadValue: the name cannot be stored.
    """
    require(actor, "detectors:write")
    plain = plain_filename(filename).removesuffix(SUFFIX)[:MAX_NAME]
    described = checked.described
    by_hand = checked.choice.get("value")
    ways = {} if by_hand is not None else checked.choice
    detector = Detector(
        id=new_id(),
        owner_id=actor.id,
        name=check_name(name if name and name.strip() else plain),
        algorithm=described["algorithm"],
        parameters=described["parameters"],
        columns=[column["name"] for column in described["columns"]],
        seed=checked.seed,
        status="untrained",
        **service.check_ways(ways),
    )
    session.add(detector)
    session.flush()
    recipe = {"columns": detector.columns, "seed": detector.seed}
    described = described | {"recipe": recipe}
    service.add_model(
        session,
        storage,
        checked.path,
        owner_id=actor.id,
        detector=detector,
        dataset_id=None,
        described=described,
    )
    detector.threshold = by_hand
    session.flush()
    audit.record(session, actor, "detector.import", detector, filename=plain_filename(filename))
    return detector
