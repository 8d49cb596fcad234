"""One click on a sample table: it becomes a dataset, and the page of its result opens at once."""

from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from pynomaly.server.detections import samples
from pynomaly.server.detections.samples import SAMPLES, Sample
from pynomaly.server.web import forms
from pynomaly.server.web.deps import PageActor, SessionDep
from pynomaly.server.web.forms import FormDep
from pynomaly.server.web.language import gettext as _

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Card:
    """A sample table as people see it."""

    sample: Sample
    title: str
    found: str


def cards() -> list[Card]:
    """The sample tables with their titles and what is to be found in each, in the request's language."""
    words = {
        "payments": (
            _("Card payments"),
            _("Find the frauds: huge amounts, cards that are tried out, payments from far away at night."),
        ),
        "breast_cancer": (
            _("Breast cancer"),
            _("Find the malignant tumours by 30 measurements of cell nuclei (Wisconsin, 1993)."),
        ),
        "wine": (
            _("Wine"),
            _("Find the wines of another grower by 13 chemical measurements (Italy, 1992)."),
        ),
    }
    return [Card(sample, *words[name]) for name, sample in SAMPLES.items()]


@router.post("/samples")
def load(actor: PageActor, session: SessionDep, form: FormDep) -> Response:
    """Make the chosen sample table a dataset, look for its anomalies, and show how far that is."""
    name = forms.texts(form).get("sample", "")
    title = {card.sample.name: card.title for card in cards()}.get(name, name)
    detection = samples.start(session, actor, name, title)
    return RedirectResponse(f"/detections/{detection.id}", 303)
