"""Who may do what, in one table that code does not read: the tests compare every route with it."""

from dataclasses import dataclass
from typing import Literal

from pynomaly.server.users.permissions import GRANTED, SCOPES, Role

Relation = Literal["own", "stranger", "view", "use", "everyone_view", "everyone_use"]
RELATIONS: tuple[Relation, ...] = ("own", "stranger", "view", "use", "everyone_view", "everyone_use")
ENOUGH = {
    "view": {"own", "view", "use", "everyone_view", "everyone_use"},
    "use": {"own", "use", "everyone_use"},
    "own": {"own"},
}


@dataclass(frozen=True)
class Rule:
    """A permission, and what one must be to the thing that the route is about."""

    permission: str
    kind: str = ""
    """dataset, detector, detection or job; empty: about no thing, or one that only its owner ever sees."""
    need: Literal["view", "use", "own"] = "view"
    by_key: bool = True
    """Whether an API key with the scope will do; else it takes a log-in."""
    place: str = "path"
    """Where the thing is named: in the path, or a field of the body or query."""


@dataclass(frozen=True)
class Who:
    """Somebody who asks."""

    role: Role | None
    relation: Relation = "own"
    scopes: tuple[str, ...] | None = None
    """Of an API key; None: a log-in."""

    def __str__(self) -> str:
        key = "" if self.scopes is None else f" by a key with {len(self.scopes)} scopes"
        return f"{self.role or 'anonymous'}, {self.relation}{key}"


SHARED = ("dataset", "detector")
"""Kinds that can be shared."""


def expected(rule: Rule | None, who: Who) -> int:
    """The status of an answer: 401, 403, 404, or 200 for "not refused"."""
    if rule is None:
        return 200
    if who.role is None:
        return 401
    granted = set(GRANTED[who.role])
    if who.scopes is not None:
        granted &= set(who.scopes) & set(SCOPES)
    if rule.permission not in granted or (who.scopes is not None and not rule.by_key):
        return 403
    if not rule.kind or who.role == "admin":
        return 200
    relation = who.relation if rule.kind in SHARED or who.relation == "own" else "stranger"
    if relation in ENOUGH[rule.need]:
        return 200
    return 403 if relation in ENOUGH["view"] else 404


def _of(kind: str, need: Literal["view", "use", "own"], access: str, *paths: str) -> dict[str, Rule]:
    return {path: Rule(f"{kind}s:{access}", kind, need) for path in paths}


READ_OF_DATASET = ("", "/profile", "/rows", "/download", "/quality", "/preview", "/report")
D, T, R = "/api/v1/datasets", "/api/v1/detectors", "/api/v1/detection/results"
RULES: dict[str, Rule | None] = {
    # open to everyone
    **dict.fromkeys(
        (
            "POST /api/v1/auth/login",
            "POST /api/v1/auth/refresh",
            "POST /api/v1/auth/password-reset",
            "POST /api/v1/auth/password-reset/request",
            "GET /api/v1/auth/oidc",
            "GET /api/v1/openapi.json",
            "HEAD /api/v1/openapi.json",
            "GET /api/v1/docs",
            "GET /api/v1/redoc",
            "GET /api/v1/health",
            "GET /api/v1/health/live",
            "GET /api/v1/health/ready",
        )
    ),
    # one's own account
    "POST /api/v1/auth/logout": Rule("account:write"),
    "GET /api/v1/auth/me": Rule("account:read"),
    "PATCH /api/v1/auth/me": Rule("account:write"),
    "POST /api/v1/auth/password": Rule("account:write"),
    "GET /api/v1/auth/sessions": Rule("account:read"),
    "DELETE /api/v1/auth/sessions": Rule("account:write"),
    "DELETE /api/v1/auth/sessions/{id}": Rule("account:write"),
    "GET /api/v1/auth/api-keys": Rule("account:read"),
    "POST /api/v1/auth/api-keys": Rule("account:write"),
    "GET /api/v1/auth/api-keys/{id}": Rule("account:read"),
    "DELETE /api/v1/auth/api-keys/{id}": Rule("account:write"),
    "POST /api/v1/auth/api-keys/{id}/rotate": Rule("account:write"),
    # administration
    "GET /api/v1/admin/users": Rule("users:read"),
    "POST /api/v1/admin/users": Rule("users:write"),
    "GET /api/v1/admin/users/{id}": Rule("users:read"),
    "PATCH /api/v1/admin/users/{id}": Rule("users:write"),
    "DELETE /api/v1/admin/users/{id}": Rule("users:write"),
    "DELETE /api/v1/admin/users/{id}/sessions": Rule("users:write"),
    "POST /api/v1/admin/users/{id}/password-reset": Rule("users:write", by_key=False),
    "GET /api/v1/admin/audit-log": Rule("audit:read"),
    "GET /api/v1/admin/audit-log/export": Rule("audit:read"),
    "GET /api/v1/metrics": Rule("system:read"),
    # datasets
    f"GET {D}": Rule("datasets:read"),
    f"POST {D}/upload": Rule("datasets:write"),
    **dict.fromkeys(  # nobody but its owner sees an upload
        (
            f"POST {D}/uploads",
            f"GET {D}/uploads",
            f"GET {D}/uploads/{{id}}",
            f"PATCH {D}/uploads/{{id}}",
            f"DELETE {D}/uploads/{{id}}",
        ),
        Rule("datasets:write"),
    ),
    **_of(
        "dataset",
        "view",
        "read",
        *(f"GET {D}/{{id}}{rest}" for rest in READ_OF_DATASET),
    ),
    **_of("dataset", "own", "read", f"GET {D}/{{id}}/shares"),
    **_of("dataset", "own", "write", f"PATCH {D}/{{id}}", f"DELETE {D}/{{id}}", f"POST {D}/{{id}}/import"),
    **_of("dataset", "own", "write", f"PUT {D}/{{id}}/shares", f"DELETE {D}/{{id}}/shares"),
    # detectors
    f"GET {T}": Rule("detectors:read"),
    f"GET {T}/algorithms": Rule("detectors:read"),
    f"POST {T}": Rule("detectors:write"),
    f"POST {T}/import": Rule("detectors:write"),
    **_of(
        "detector",
        "view",
        "read",
        *(
            f"GET {T}/{{id}}{rest}"
            for rest in ("", "/versions", "/versions/{version}", "/compare", "/aliases", "/aliases/{alias}")
        ),
    ),
    **_of("detector", "own", "read", f"GET {T}/{{id}}/shares"),
    **_of("detector", "own", "read", f"GET {T}/{{id}}/bundle"),  # it holds some of the training rows
    **_of(
        "detector",
        "own",
        "write",
        *(f"{method} {T}/{{id}}" for method in ("PUT", "PATCH", "DELETE")),
        *(f"POST {T}/{{id}}/{rest}" for rest in ("train", "versions/{version}/activate", "rollback")),
        f"PUT {T}/{{id}}/threshold",
        f"PUT {T}/{{id}}/aliases/{{alias}}",
        f"DELETE {T}/{{id}}/aliases/{{alias}}",
        f"PUT {T}/{{id}}/shares",
        f"DELETE {T}/{{id}}/shares",
    ),
    # detections: of what is shared, the dataset and the detector, the results stay one's own
    "POST /api/v1/detection/detect": Rule("detections:write", "dataset", "use", place="dataset_id"),
    "POST /api/v1/detection/batch": Rule("detections:write", "dataset", "use", place="dataset_ids"),
    "POST /api/v1/detection/score": Rule("detections:write", "detector", "use", place="detector_id"),
    "GET /api/v1/detection/compare": Rule("detections:read", "detection", "view", place="ids"),
    f"GET {R}": Rule("detections:read"),
    **_of(
        "detection",
        "view",
        "read",
        *(f"GET {R}/{{id}}{rest}" for rest in ("", "/rows", "/export", "/feedback", "/threshold")),
    ),
    **_of(
        "detection",
        "own",
        "write",
        f"PATCH {R}/{{id}}",
        f"DELETE {R}/{{id}}",
        f"PUT {R}/{{id}}/threshold",
        f"DELETE {R}/{{id}}/threshold",
        f"POST {R}/{{id}}/feedback",
        f"DELETE {R}/{{id}}/feedback/{{row}}",
    ),
    # jobs
    "GET /api/v1/jobs": Rule("jobs:read"),
    "GET /api/v1/jobs/{id}": Rule("jobs:read", "job", "view"),
    "POST /api/v1/jobs/{id}/cancel": Rule("jobs:write", "job", "own"),
    # the Open Inference Protocol
    **dict.fromkeys(("GET /v2/health/live", "GET /v2/health/ready")),
    "GET /v2": Rule("detectors:read"),
    **{
        f"GET /v2/models/{{name}}{version}{rest}": Rule("detectors:read", "detector", "view")
        for version in ("", "/versions/{version}")
        for rest in ("", "/ready")
    },
    **{
        f"POST /v2/models/{{name}}{version}/infer": Rule("detections:write", "detector", "use")
        for version in ("", "/versions/{version}")
    },
    # outside the API: log-in by cookie, or nothing to hide
    **dict.fromkeys(
        (
            "GET /login",
            "POST /login",
            "POST /logout",
            "GET /setup",
            "POST /setup",
            "POST /preferences",
            "GET /password-reset",
            "POST /password-reset",
            "GET /oidc/login",
            "GET /oidc/callback",
            "GET /health",
            "GET /health/live",
            "GET /health/ready",
        )
    ),
}
"""Method and path -> its rule; None: open to everyone. Pages are not here: all ask for a log-in."""
