"""The trained versions of a detector: which are there, which one is in use, what they are called."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import dropwhile
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from pynomaly.errors import BadValue, Conflict, NotFound, NotReady
from pynomaly.server import audit, paging
from pynomaly.server.access import find, require
from pynomaly.server.detectors import service
from pynomaly.server.detectors.models import Activation, Alias, Detector, Model
from pynomaly.server.users.models import User

PRODUCTION = "production"
"""The alias of the version in use."""
NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
SORTS = paging.Sorts(Model.id, {"version": Model.version, "created_at": Model.created_at})


@dataclass(frozen=True, slots=True)
class Version:
    """One trained version, and what it is called."""

    model: Model
    active: bool
    aliases: list[str] = field(default_factory=list)


def list_page(
    session: Session,
    actor: User,
    id_: str,
    cursor: str | None = None,
    limit: int = 50,
    sort: str = "-version",
) -> tuple[list[Version], str | None]:
    """List a detector's versions; returns them and the next page's cursor (None: it is the last)."""
    detector = find(session, actor, Detector, id_)
    query = select(Model).where(Model.detector_id == detector.id)
    page = paging.page(session, query, SORTS, sort, cursor, limit)
    return _called(session, detector, page.items), page.next_cursor


def get(session: Session, actor: User, id_: str, version: str) -> Version:
    """Return one version by its number or alias; raises NotFound or, without one in use, NotReady."""
    detector = find(session, actor, Detector, id_)
    [found] = _called(session, detector, [version_of(session, detector, version)])
    return found


def version_of(session: Session, detector: Detector, version: int | str | None) -> Model:
    """Find a version by its number or an alias; without either, the one in use.

    Raises:
        NotFound: there is none that is so called.
        NotReady: none is in use.
    """
    if version is None or version == PRODUCTION:
        model = service.model_of(session, detector)
        if model is None:
            raise NotReady(f"The detector {detector.name!r} is not trained: train it first.")
        return model
    query = select(Model).where(Model.detector_id == detector.id)
    if isinstance(version, int) or (version.isascii() and version.isdigit() and len(version) < 10):
        query = query.where(Model.version == int(version))
    else:
        query = query.join(Alias, Alias.model_id == Model.id).where(
            Alias.detector_id == detector.id, Alias.name == version
        )
    if (found := session.scalars(query).first()) is None:
        raise NotFound(f"The detector {detector.name!r} has no version {str(version)[:64]!r}.")
    return found


def activate(session: Session, actor: User, id_: str, version: str) -> Detector:
    """Put a version into use, with the definition that it was trained by; doing it again changes nothing.

    Raises:
        NotReady: the detector is being trained.
        NotFound, Forbidden: the actor may not see, or may not change it; or there is no such version.
    """
    require(actor, "detectors:write")
    detector = service.get(session, actor, id_, need="own", lock=True)
    service.refuse_while_training(detector)
    model = version_of(session, detector, version)
    if model.id != detector.model_id:
        audit.record(session, actor, "detector.activate", detector, version=model.version)
        service.put_in_use(session, detector, model, actor.id)
    return detector


def roll_back(session: Session, actor: User, id_: str) -> Detector:
    """Put the version into use that was before the present one; again, the one before that.

    Raises:
        Conflict: there was none before.
        NotReady: the detector is being trained.
        NotFound, Forbidden: the actor may not see, or may not change it.
    """
    require(actor, "detectors:write")
    detector = service.get(session, actor, id_, need="own", lock=True)
    service.refuse_while_training(detector)
    noted = _activations(session, detector)
    model = _before(session, detector, noted)
    for one in noted:
        if one.model_id != detector.model_id:
            break
        session.delete(one)
    audit.record(session, actor, "detector.rollback", detector, version=model.version)
    service.use(detector, model)
    session.flush()
    return detector


def before(session: Session, actor: User, id_: str) -> Version:
    """Find the version that `roll_back` would put into use; raises Conflict when there was none before."""
    detector = find(session, actor, Detector, id_)
    [found] = _called(session, detector, [_before(session, detector, _activations(session, detector))])
    return found


def _activations(session: Session, detector: Detector) -> list[Activation]:
    noted = select(Activation).where(Activation.detector_id == detector.id)
    return list(session.scalars(noted.order_by(Activation.at.desc(), Activation.id)))


def _before(session: Session, detector: Detector, noted: list[Activation]) -> Model:
    """Pass over the latest activations that are of the version in use."""
    earlier = next(dropwhile(lambda one: one.model_id == detector.model_id, noted), None)
    if earlier is None:
        raise Conflict(f"No other version of the detector {detector.name!r} was in use before.")
    return session.get_one(Model, earlier.model_id)


def aliases(session: Session, actor: User, id_: str) -> list[tuple[str, Model]]:
    """List what versions are called, by name; `production`, if there is one in use, is first."""
    detector = find(session, actor, Detector, id_)
    named = select(Alias.name, Model).join(Model, Model.id == Alias.model_id)
    rows = session.execute(named.where(Alias.detector_id == detector.id).order_by(Alias.name))
    in_use = service.model_of(session, detector)
    return [*([(PRODUCTION, in_use)] if in_use else []), *((name, model) for name, model in rows)]


def aliased(session: Session, actor: User, id_: str, name: str) -> Model:
    """Find the version that a name stands for; raises NotFound when there is none."""
    found = dict(aliases(session, actor, id_)).get(name)
    if found is None:
        raise NotFound("The detector has no version of this name.")
    return found


def set_alias(session: Session, actor: User, id_: str, name: str, version: str) -> Model:
    """Call a version by a name; `production` puts it into use. Returns the version.

    Raises:
        BadValue: the name is not one.
        NotFound, Forbidden: as `activate`.
    """
    if name == PRODUCTION:
        return version_of(session, activate(session, actor, id_, version), None)
    require(actor, "detectors:write")
    detector = service.get(session, actor, id_, need="own", lock=True)
    if not NAME.fullmatch(name):
        raise BadValue(
            "An alias begins with a small letter and has at most 64 small letters, digits, - and _.",
            pointer="#/alias",
            place="path",
        )
    model = version_of(session, detector, version)
    alias = session.get(Alias, (detector.id, name)) or Alias(detector_id=detector.id, name=name)
    if alias.model_id != model.id:
        alias.model_id = model.id
        session.add(alias)
        session.flush()
        audit.record(session, actor, "detector.alias", detector, alias=name, version=model.version)
    return model


def drop_alias(session: Session, actor: User, id_: str, name: str) -> None:
    """Take a name back; where there is none, nothing changes. Raises Conflict for `production`."""
    require(actor, "detectors:write")
    detector = service.get(session, actor, id_, need="own", lock=True)
    if name == PRODUCTION:
        raise Conflict(f"{PRODUCTION!r} is the version in use: put another one into use.")
    if (alias := session.get(Alias, (detector.id, name))) is not None:
        session.delete(alias)
        session.flush()
        audit.record(session, actor, "detector.alias", detector, alias=name, version=None)


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two versions, and all that differs between them."""

    before: Version
    after: Version
    definition: list[Change]
    columns: list[Change]
    outcome: list[Change]


def compare(session: Session, actor: User, id_: str, before: str, after: str) -> Comparison:
    """Say what differs between two versions, named by number or alias.

    `definition` is what was asked for: algorithm, parameters, columns, seed, dataset. `columns` are the types
    of columns, None where a version does not use one. `outcome` is what came of it: threshold, metrics.
    """
    detector = find(session, actor, Detector, id_)
    one, two = (version_of(session, detector, version) for version in (before, after))
    return Comparison(
        _called(session, detector, [one])[0],
        _called(session, detector, [two])[0],
        _changes(_definition(one), _definition(two)),
        _changes(_types(one), _types(two)),
        _changes(_outcome(one), _outcome(two)),
    )


@dataclass(frozen=True, slots=True)
class Step:
    """A version, the one that was trained before it, and what differs in what was asked for."""

    version: Version
    before: int | None
    changes: list[Change]


def history(
    session: Session, actor: User, id_: str, cursor: str | None = None, limit: int = 20
) -> tuple[list[Step], str | None]:
    """List a detector's versions, newest first, each with what changed; and the next page's cursor."""
    found, next_cursor = list_page(session, actor, id_, cursor, limit)
    models: list[Model | None] = [one.model for one in found[1:]]
    if found:
        last = found[-1].model
        earlier = (Model.detector_id == last.detector_id, Model.version < last.version)
        query = select(Model).where(*earlier).order_by(Model.version.desc()).limit(1)
        models.append(session.scalars(query).first())
    steps = [
        Step(one, None, []) if model is None else Step(one, model.version, _asked(model, one.model))
        for one, model in zip(found, models, strict=True)
    ]
    return steps, next_cursor


def _asked(before: Model, after: Model) -> list[Change]:
    return _changes(_definition(before), _definition(after)) + _changes(_types(before), _types(after))


def _definition(model: Model) -> dict[str, Any]:
    parameters = {f"parameters.{name}": value for name, value in model.parameters.items()}
    return {"algorithm": model.algorithm, **parameters, **model.recipe, "dataset_id": model.dataset_id}


def _types(model: Model) -> dict[str, Any]:
    return {column["name"]: column["type"] for column in model.columns}


def _outcome(model: Model) -> dict[str, Any]:
    metrics = {f"metrics.{name}": value for name, value in model.metrics.items()}
    told = {"threshold": model.threshold, "estimated_contamination": model.estimated_contamination}
    return told | metrics | {"notes": model.notes}


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    pairs = [(name, before.get(name), after.get(name)) for name in dict.fromkeys((*before, *after))]
    return [Change(name, one, two) for name, one, two in pairs if one != two]


def _called(session: Session, detector: Detector, models: list[Model]) -> list[Version]:
    """Put the names of versions beside them."""
    ids = [model.id for model in models]
    rows = session.execute(
        select(Alias.model_id, Alias.name)
        .where(Alias.detector_id == detector.id, Alias.model_id.in_(ids))
        .order_by(Alias.name)
    )
    names: dict[str, list[str]] = {}
    for model_id, name in rows:
        names.setdefault(model_id, []).append(name)
    return [
        Version(
            model,
            model.id == detector.model_id,
            [PRODUCTION] * (model.id == detector.model_id) + names.get(model.id, []),
        )
        for model in models
    ]
