"""The datasets and detectors that a filter offers: the newest ones, and the one that is chosen."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from pynomaly.errors import NotFound
from pynomaly.server.access import find
from pynomaly.server.datasets import service as datasets
from pynomaly.server.datasets.models import Dataset
from pynomaly.server.detectors import service as detectors
from pynomaly.server.detectors.models import Detector
from pynomaly.server.users.models import User
from pynomaly.server.web.language import gettext as _

MOST = 100
Choices = list[tuple[str, str]]


def of_datasets(session: Session, actor: User, chosen: str) -> Choices:
    """Offer datasets as (id, name), `chosen` (an id, or "") among them."""
    return _with(session, actor, Dataset, datasets.list_page(session, actor, limit=MOST)[0], chosen)


def of_detectors(session: Session, actor: User, chosen: str) -> Choices:
    """Offer detectors as (id, name), `chosen` (an id, or "") among them."""
    return _with(session, actor, Detector, detectors.list_page(session, actor, limit=MOST)[0], chosen)


def _with(
    session: Session,
    actor: User,
    kind: type[Dataset] | type[Detector],
    newest: Sequence[Dataset | Detector],
    chosen: str,
) -> Choices:
    listed = [("", _("all")), *((one.id, one.name) for one in newest)]
    if chosen not in dict(listed):
        try:
            listed.append((chosen, find(session, actor, kind, chosen).name))
        except NotFound:
            listed.append((chosen, _("one that is gone")))
    return listed
