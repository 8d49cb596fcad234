"""Who may see what: owners their own, administrators all, viewers nothing to change, strangers nothing."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

PATHS = (
    ("GET", "/datasets/{dataset}"),
    ("GET", "/datasets/{dataset}/rows"),
    ("GET", "/detectors/{detector}"),
    ("PUT", "/detectors/{detector}"),
    ("POST", "/detectors/{detector}/train"),
    ("GET", "/detection/results/{result}"),
    ("GET", "/detection/results/{result}/rows"),
    ("GET", "/detection/results/{result}/export"),
    ("GET", "/jobs/{job}"),
    ("POST", "/jobs/{job}/cancel"),
)
BODIES = {"PUT": {"name": "mine now"}, "POST": {"dataset_id": "{dataset}"}}


@pytest.fixture(scope="session")
def ids(ada: Any, dataset: Any, result: Any) -> dict[str, str]:
    """Things of Ada's."""
    detector = ada.post("/detectors", 201, {"name": "hers"})
    return {
        "dataset": dataset["id"],
        "detector": detector["id"],
        "result": result["id"],
        "job": result["job_id"],
    }


@pytest.fixture(scope="session")
def theirs(stranger: Any) -> Any:
    """A dataset of the stranger's own."""
    return stranger.upload(b"a,b\n" + b"\n".join(b"%d,%d" % (i % 7, i % 5) for i in range(50)))


def body(method: str, path: str, ids: dict[str, str]) -> Any:
    """What to send, if anything."""
    if method == "GET" or path.endswith("cancel"):
        return None
    return {key: value.format(**ids) for key, value in BODIES[method].items()}


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_a_stranger_gets_404(stranger: Any, ids: dict[str, str], method: str, path: str) -> None:
    """What one may not see is not there."""
    problem = stranger.send(method, path.format(**ids), 404, json=body(method, path, ids))
    assert problem["code"] == "not_found"


@pytest.mark.parametrize(("method", "path"), PATHS)
@pytest.mark.parametrize(
    "id_", ["0" * 36, "00000000-0000-4000-8000-000000000000", "..", "x'--", "%F0%9F%90%9F"]
)
def test_what_does_not_exist_is_404(ada: Any, ids: dict[str, str], method: str, path: str, id_: str) -> None:
    """The same answer as for what one may not see, whatever the id looks like."""
    address = path.format(**dict.fromkeys(ids, id_))
    answer = ada.http.request(method, f"/api/v1{address}", json=body(method, path, ids))
    assert answer.status_code in (404, 405)  # 405: ".." leads to another address
    assert answer.json()["code"] in ("not_found", "method_not_allowed")


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_anonymous_gets_401(installation: Any, ids: dict[str, str], method: str, path: str) -> None:
    """Without a token there is nothing."""
    address = f"{installation.url}/api/v1{path.format(**ids)}"
    assert httpx.request(method, address, json=body(method, path, ids)).status_code == 401


def test_anonymous_cannot_list_or_create(installation: Any) -> None:
    """Neither lists nor uploads."""
    for path in ("/datasets", "/detectors", "/detectors/algorithms", "/detection/results"):
        assert httpx.get(f"{installation.url}/api/v1{path}").status_code == 401
    files = {"file": ("t.csv", b"a\n1\n")}
    assert httpx.post(f"{installation.url}/api/v1/datasets/upload", files=files).status_code == 401
    assert not [path for path in installation.files() if path.endswith(".upload")]


def test_a_strangers_things_cannot_be_combined(stranger: Any, ids: dict[str, str], theirs: Any) -> None:
    """Neither training nor detecting takes somebody else's dataset or detector."""
    own = stranger.post("/detectors", 201, {"name": "own"})["id"]
    stranger.post(f"/detectors/{own}/train", 404, {"dataset_id": ids["dataset"]})
    stranger.post("/detection/detect", 404, {"dataset_id": ids["dataset"]})
    stranger.post("/detection/detect", 404, {"dataset_id": theirs["id"], "detector_id": ids["detector"]})
    assert stranger.get(f"/detectors/{own}")["status"] == "untrained"


def test_lists_show_ones_own_only(stranger: Any, ids: dict[str, str], theirs: Any) -> None:
    """Nothing of Ada's is in the stranger's lists."""
    seen = {
        item["id"]
        for path in ("/datasets", "/detectors", "/detection/results")
        for item in stranger.every(path)
    }
    assert theirs["id"] in seen
    assert not seen & set(ids.values())


def test_an_administrator_sees_all(admin: Any, ids: dict[str, str]) -> None:
    """Every list and every thing."""
    assert ids["dataset"] in [item["id"] for item in admin.every("/datasets")]
    assert admin.get(f"/detection/results/{ids['result']}/rows", limit=1)["items"]


def test_a_viewer_changes_nothing(viewer: Any, ids: dict[str, str]) -> None:
    """A viewer gets 403 for every unsafe method, before anything is looked up or stored."""
    assert viewer.upload(b"a\n1\n2\n", status=403)["code"] == "forbidden"
    for method, path in PATHS:
        if method != "GET":
            viewer.send(method, path.format(**ids), 403, json=body(method, path, ids))
    viewer.post("/detectors", 403, {"name": "x"})
    viewer.post("/detection/detect", 403, {"dataset_id": ids["dataset"]})
    assert viewer.get("/datasets")["items"] == []


def test_owner_cannot_be_chosen(ada: Any, arrive: Callable[..., Any]) -> None:
    """Fields that are not part of a body are refused."""
    for extra in ({"owner_id": "x"}, {"id": "x"}, {"status": "trained"}, {"model_id": "x"}):
        problem = ada.post("/detectors", 422, {"name": "n", **extra})
        assert problem["errors"][0]["pointer"] == f"#/{next(iter(extra))}"
