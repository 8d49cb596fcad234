"""Lists and counts hold what one may see, and nothing else."""

from collections.abc import Callable
from typing import Any, get_args

import pytest
from rules import RELATIONS, SHARED, Rule, Who, expected

from pynomaly.server.users.permissions import Role

LISTS = [
    ("/api/v1/datasets", "dataset", "datasets:read"),
    ("/api/v1/detectors", "detector", "detectors:read"),
    ("/api/v1/detection/results", "detection", "detections:read"),
    ("/api/v1/jobs", "job", "jobs:read"),
]


@pytest.mark.parametrize(("path", "kind", "permission"), LISTS)
@pytest.mark.parametrize("relation", RELATIONS)
@pytest.mark.parametrize("role", get_args(Role))
def test_lists_hold_what_one_may_see_and_nothing_else(
    world: Any, send: Callable[..., Any], path: str, kind: str, permission: str, relation: str, role: Role
) -> None:
    who = Who(role, relation)  # type: ignore[arg-type]
    cell = world.cell(who)
    found, cursor = [], None
    while True:
        query = {"limit": 200} | ({"cursor": cursor} if cursor else {})
        page = send("GET", path, params=query, headers=cell.headers).json()
        found += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None or getattr(cell, kind) in found:
            break
    may_see = expected(Rule(permission, kind, "view"), who) == 200
    assert (getattr(cell, kind) in found) is may_see
    if role != "admin":
        strange = world.things(world.user())[kind]
        assert strange not in found
        shared = {"everyone_view", "everyone_use"} if kind in SHARED else set()
        if relation not in shared:
            others = [one for one in found if one not in (getattr(cell, kind), cell.mine[kind])]
            for other in others:
                assert send("GET", f"{path}/{other}", headers=cell.headers).status_code == 200


def test_a_result_goes_with_its_dataset(world: Any, send: Callable[..., Any]) -> None:
    """Who made a result of a shared dataset sees it no more when the share ends."""
    from pynomaly.server.detections.models import Detection
    from pynomaly.server.sharing.models import Share

    owner, guest = world.user(), world.user()
    made = world.things(owner)
    with world.database.session() as session:
        share = Share(dataset_id=made["dataset"], user_id=guest.id, access="use")
        result = Detection(owner_id=guest.id, dataset_id=made["dataset"], algorithm="robust_z")
        session.add_all([share, result])
        session.flush()
        id_, share_id = result.id, share.id
    headers, _ = world.bearer(guest)
    path = f"/api/v1/detection/results/{id_}"
    assert send("GET", path, headers=headers).status_code == 200
    with world.database.session() as session:
        session.delete(session.get(Share, share_id))
    assert send("GET", path, headers=headers).status_code == 404
    listed = send("GET", "/api/v1/detection/results", headers=headers).json()["items"]
    assert id_ not in [item["id"] for item in listed]
