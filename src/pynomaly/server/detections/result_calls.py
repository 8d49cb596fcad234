"""What a program would do instead of the page of a result."""

from pynomaly.server.detections.look import Look
from pynomaly.server.detections.models import Detection
from pynomaly.server.detections.view import View
from pynomaly.server.web.as_api import ApiCall
from pynomaly.server.web.language import gettext as _


def unfinished(detection: Detection) -> list[ApiCall]:
    """Follow a detection that has no result."""
    get = f'result = client.detections.get("{detection.id}")'
    return [ApiCall(_("Look how far it is"), "GET", f"/detection/results/{detection.id}", get)]


def calls(detection: Detection, look: Look) -> list[ApiCall]:
    """Ask for the result and for the rows that the page shows, move its threshold, take it home."""
    id_, path = detection.id, f"/detection/results/{detection.id}"
    score = look.threshold if look.threshold is not None else detection.threshold
    moved = {"max_alerts": look.max_alerts} if look.max_alerts is not None else {"threshold": score}
    options = "".join(f", {name}={value!r}" for name, value in _given(look.view))
    rows = f'rows = list(client.detections.rows("{id_}"{options}, page_size={look.size}))'
    word = next(f"{name}={value!r}" for name, value in moved.items())
    return [
        ApiCall(_("The result in numbers"), "GET", path, f'result = client.detections.get("{id_}")'),
        ApiCall(
            _("Its rows, as shown here"),
            "GET",
            f"{path}/rows",
            rows,
            query=dict(look.view.query()) | {"limit": look.size},
        ),
        ApiCall(
            _("Move the threshold"),
            "PUT",
            f"{path}/threshold",
            f'client.detections.move_threshold("{id_}", {word})',
            json=moved,
        ),
        ApiCall(
            _("Take the rows home"),
            "GET",
            f"{path}/export",
            f'client.detections.export("{id_}", "anomalies.csv")',
            query=dict(look.view.query()) | {"format": "csv"},
            save="anomalies.csv",
        ),
    ]


def _given(view: View) -> list[tuple[str, object]]:
    """Write a view as keyword arguments of the client."""
    told = [(name, getattr(view, name)) for name, _text in view.query() if name != "where"]
    if view.where:
        told.append(("where", [(one.column, one.operator, one.value) for one in view.where]))
    return told
