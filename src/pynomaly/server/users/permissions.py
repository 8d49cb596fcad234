"""What each role may do: the one table that code, documents and tests read."""

from typing import Literal, get_args

Role = Literal["admin", "user", "viewer"]
ROLES: tuple[Role, ...] = get_args(Role)

Permission = Literal[
    "datasets:read",
    "datasets:write",
    "detectors:read",
    "detectors:write",
    "detections:read",
    "detections:write",
    "jobs:read",
    "jobs:write",
    "account:read",
    "account:write",
    "users:read",
    "users:write",
    "audit:read",
    "system:read",
]
PERMISSIONS: tuple[Permission, ...] = get_args(Permission)

MEANING: dict[Permission, str] = {
    "datasets:read": "look at datasets: their profile, rows and files",
    "datasets:write": "upload, change, share and delete datasets",
    "detectors:read": "look at detectors, their versions and bundles",
    "detectors:write": "make, train, change, share and delete detectors",
    "detections:read": "look at results and export them",
    "detections:write": "detect and score, give feedback, delete results",
    "jobs:read": "follow jobs",
    "jobs:write": "cancel jobs",
    "account:read": "look at one's own account",
    "account:write": "change one's own account: password, sessions, API keys",
    "users:read": "look at all accounts",
    "users:write": "make, change and delete accounts",
    "audit:read": "read the audit log",
    "system:read": "read the metrics",
}

_LOOK: frozenset[Permission] = frozenset(
    {"datasets:read", "detectors:read", "detections:read", "jobs:read", "account:read", "account:write"}
)
_WORK: frozenset[Permission] = frozenset(
    {"datasets:write", "detectors:write", "detections:write", "jobs:write"}
)
GRANTED: dict[Role, frozenset[Permission]] = {
    "viewer": _LOOK,
    "user": _LOOK | _WORK,
    "admin": frozenset(PERMISSIONS),
}
"""Permissions of each role. An administrator also sees everybody's things; others theirs and shared ones."""

SCOPES: tuple[Permission, ...] = tuple(one for one in PERMISSIONS if one != "account:write")
"""What an API key may be given: everything but what would let a stolen key make itself others."""
