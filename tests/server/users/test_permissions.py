"""The table of permissions in the documents is the one in the code, and the audit log's actions are told."""

import ast
import re
from pathlib import Path

from pynomaly.server.users.permissions import GRANTED, MEANING, PERMISSIONS, ROLES, SCOPES

ROOT = Path(__file__).parents[3]
DOCUMENT = (ROOT / "docs/accounts.md").read_text()


def test_the_document_has_the_table() -> None:
    rows = re.findall(r"^\| `(\w+:\w+)` \| (.*) \|$", DOCUMENT, re.MULTILINE)
    told = {name: [cell.strip() for cell in cells.split("|")] for name, cells in rows}
    assert told == {
        one: [*("yes" if one in GRANTED[role] else "" for role in ROLES), MEANING[one]] for one in PERMISSIONS
    }
    assert f"| permission | {' | '.join(ROLES)} | allows to |" in DOCUMENT


def test_each_role_has_what_the_lower_ones_have() -> None:
    assert GRANTED["viewer"] < GRANTED["user"] < GRANTED["admin"] == set(PERMISSIONS)
    assert not any(one.endswith(":write") for one in GRANTED["viewer"] - {"account:write"})
    assert set(SCOPES) == set(PERMISSIONS) - {"account:write"}


def test_every_action_of_accounts_is_documented() -> None:
    found = set()
    for path in [
        *(ROOT / "src/pynomaly/server/users").glob("*.py"),
        *(ROOT / "src/pynomaly/server/admin").glob("*.py"),
    ]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "record":
                assert isinstance(node.args[2], ast.Constant), ast.unparse(node)
                found.add(node.args[2].value)
    assert len(found) > 15
    for action in found:
        assert f"`{action}`" in DOCUMENT, f"docs/accounts.md does not name {action}"
