"""REST routes of a detector's versions: list, put into use, roll back, name, compare, move the threshold."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query

from pynomaly.errors import BadValue
from pynomaly.server.detectors import cuts, service, versions
from pynomaly.server.detectors.present import present, present_version
from pynomaly.server.detectors.schemas import (
    AliasAnswer,
    AliasList,
    ComparisonAnswer,
    CutAnswer,
    DetectorDetail,
    ThresholdBody,
    VersionAnswer,
    VersionBody,
    VersionList,
)
from pynomaly.server.users.models import User
from pynomaly.server.web.api_route import ApiRoute, Fields
from pynomaly.server.web.deps import Cursor, DatabaseDep, Limit, SessionDep, SettingsDep, StorageDep, may
from pynomaly.server.web.idempotency import Idempotent
from pynomaly.server.web.tags import IF_MATCH, IF_NONE_MATCH, TagsDep

router = APIRouter(prefix="/{id}", route_class=ApiRoute)
Reader = Annotated[User, may("detectors:read")]
Writer = Annotated[User, may("detectors:write")]
Sort = Literal["version", "-version", "created_at", "-created_at"]
Named = Annotated[str, Path(max_length=64, description="A version's number or alias.")]
AliasName = Annotated[str, Path(max_length=64)]
Pair = Annotated[str, Query(max_length=130, description="Two versions by number or alias.", examples=["1,2"])]


@router.get("/versions")
def show_versions(
    actor: Reader,
    session: SessionDep,
    id: str,  # noqa: A002
    sort: Sort = "-version",
    limit: Limit = 50,
    cursor: Cursor = None,
    _fields: Fields = None,
) -> VersionList:
    """List the trained versions of a detector, newest first."""
    found, next_cursor = versions.list_page(session, actor, id, cursor, limit, sort)
    return VersionList(items=[present_version(one) for one in found], next_cursor=next_cursor)


@router.get("/versions/{version}")
def show_version(
    actor: Reader,
    session: SessionDep,
    tags: TagsDep,
    id: str,  # noqa: A002
    version: Named,
    _fields: Fields = None,
    _if_none_match: IF_NONE_MATCH = None,
) -> VersionAnswer:
    """Look at one version, by its number or an alias such as `production`."""
    return tags.give(present_version(versions.get(session, actor, id, version)))


@router.post("/versions/{version}/activate")
def activate(
    actor: Writer,
    session: SessionDep,
    tags: TagsDep,
    id: str,  # noqa: A002
    version: Named,
    _if_match: IF_MATCH = None,
) -> DetectorDetail:
    """Put a version into use, with the definition that it was trained by."""
    tags.require(present(session, actor, service.get(session, actor, id, need="own", lock=True)))
    return tags.give(present(session, actor, versions.activate(session, actor, id, version)))


@router.post("/rollback", dependencies=[Idempotent])
def roll_back(
    actor: Writer,
    session: SessionDep,
    tags: TagsDep,
    id: str,  # noqa: A002
    _if_match: IF_MATCH = None,
) -> DetectorDetail:
    """Put the version into use that was before the present one."""
    tags.require(present(session, actor, service.get(session, actor, id, need="own", lock=True)))
    return tags.give(present(session, actor, versions.roll_back(session, actor, id)))


@router.get("/compare")
def compare(
    actor: Reader,
    session: SessionDep,
    id: str,  # noqa: A002
    pair: Annotated[Pair, Query(alias="versions")],
    _fields: Fields = None,
) -> ComparisonAnswer:
    """See what differs between two versions: definition, columns, threshold and metrics."""
    before, comma, after = pair.partition(",")
    if not comma or "," in after:
        raise BadValue("Name two versions, such as 1,2.", pointer="#/versions", place="query")
    found = versions.compare(session, actor, id, before.strip(), after.strip())
    return ComparisonAnswer.model_validate(
        {
            "before": present_version(found.before),
            "after": present_version(found.after),
            "definition": found.definition,
            "columns": found.columns,
            "outcome": found.outcome,
        }
    )


@router.get("/aliases")
def show_aliases(
    actor: Reader,
    session: SessionDep,
    id: str,  # noqa: A002
    _fields: Fields = None,
) -> AliasList:
    """List what versions are called; `production` is the one in use."""
    found = versions.aliases(session, actor, id)
    items = [AliasAnswer(alias=name, version=model.version, model_id=model.id) for name, model in found]
    return AliasList(items=items, next_cursor=None)


@router.get("/aliases/{alias}")
def show_alias(
    actor: Reader,
    session: SessionDep,
    tags: TagsDep,
    id: str,  # noqa: A002
    alias: AliasName,
    _fields: Fields = None,
    _if_none_match: IF_NONE_MATCH = None,
) -> AliasAnswer:
    """See which version a name stands for."""
    model = versions.aliased(session, actor, id, alias)
    return tags.give(AliasAnswer(alias=alias, version=model.version, model_id=model.id))


@router.put("/aliases/{alias}")
def set_alias(
    actor: Writer,
    session: SessionDep,
    tags: TagsDep,
    id: str,  # noqa: A002
    alias: AliasName,
    body: VersionBody,
) -> AliasAnswer:
    """Give a version a name, or let it stand for another version; `production` puts that one into use."""
    model = versions.set_alias(session, actor, id, alias, str(body.version))
    return tags.give(AliasAnswer(alias=alias, version=model.version, model_id=model.id))


@router.delete("/aliases/{alias}", status_code=204)
def drop_alias(
    actor: Writer,
    session: SessionDep,
    id: str,  # noqa: A002
    alias: AliasName,
) -> None:
    """Take a name back; the version stays."""
    versions.drop_alias(session, actor, id, alias)


@router.put("/threshold")
def move_threshold(
    actor: Writer,
    database: DatabaseDep,
    storage: StorageDep,
    settings: SettingsDep,
    tags: TagsDep,
    id: str,  # noqa: A002
    body: ThresholdBody,
    _if_match: IF_MATCH = None,
) -> CutAnswer:
    """Choose anew which rows are anomalies, without training again; answers the score in effect.

    `If-Match` takes the detector's `ETag`.
    """
    with database.session(write=False) as session:
        tags.require(present(session, actor, service.get(session, actor, id, need="own")))
        wanted = cuts.ask(session, actor, storage, id, body.model_dump())
    cut = wanted.find(settings)
    with database.session() as session:
        tags.require(present(session, actor, service.get(session, actor, id, need="own", lock=True)))
        cuts.move(session, actor, id, cut)
    about = {"detector_id": id, "model_id": cut.model_id, "version": cut.version, **cut.ways}
    return CutAnswer(**about, threshold=cut.threshold, flagged_share=cut.flagged_share)
