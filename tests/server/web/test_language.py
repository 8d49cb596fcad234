"""The pages in the language that was chosen, else that the browser accepts; every text is translated."""

import importlib.util
import re
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import httpx
import pytest

from pynomaly.server.web import formats, language
from pynomaly.server.web.render import environment

pytestmark = pytest.mark.any_database
SCRIPT = Path(__file__).parents[3] / "scripts" / "messages.py"
TEMPLATES = sorted((Path(language.LOCALE).parent / "templates").rglob("*.html"))


@pytest.fixture
def german() -> object:
    language.speak("de")
    yield
    language.speak("en")


@pytest.mark.parametrize(
    ("chosen", "accepted", "wanted"),
    [
        ("", "", "en"),
        ("", "de", "de"),
        ("", "de-CH, en;q=0.9", "de"),
        ("", "en;q=0.5, de;q=0.9", "de"),
        ("", "de;q=0, en", "en"),
        ("", "fr, es", "en"),
        ("", "de;q=x", "en"),
        ("", "de;q=nan", "en"),
        ("en", "de", "en"),
        ("tlh", "de", "de"),
        ("../../etc", "", "en"),
        ("", "de," * 10_000, "de"),
    ],
)
def test_which_language(chosen: str, accepted: str, wanted: str) -> None:
    assert language.choose(chosen, accepted) == wanted


def test_a_page_follows_the_browser_until_somebody_chooses(client: httpx.Client, url: str) -> None:
    german = {"Accept-Language": "de"}
    page = client.get("/login", headers=german)
    assert page.headers["content-language"] == "de"
    assert '<html lang="de"' in page.text
    assert "Zum Inhalt springen" in page.text
    form = {"language": "en", "next": "/login"}
    answer = client.post("/preferences", data=form, headers={"Origin": url, "Accept": "text/html"})
    assert answer.status_code == 303
    page = client.get("/login", headers=german)
    assert page.headers["content-language"] == "en"
    assert "Skip to the content" in page.text


def test_requests_side_by_side_keep_their_languages(client: httpx.Client) -> None:
    for _ in range(3):
        for name in ("de", "en"):
            assert f'<html lang="{name}"' in client.get("/login", headers={"Accept-Language": name}).text


def test_numbers_and_dates_as_the_language_writes_them(german: object) -> None:
    assert formats.count(1234567) == "1.234.567"
    assert formats.number(0.5) == "0,5"
    assert formats.percent(0.0123) == "1,23 %"
    assert formats.day(datetime(2026, 3, 4, tzinfo=UTC)) == "04.03.2026"
    assert formats.value(True) == "wahr"


def test_every_text_is_translated() -> None:
    messages = _script()
    texts = messages.used()
    paths = list(language.LOCALE.glob("*/messages.po"))
    assert {path.parent.name for path in paths} == set(language.LANGUAGES) - {language.DEFAULT}
    for path in paths:
        assert messages.problems(path, texts) == []


ALLOWED = re.compile(
    r"Pynomaly|curl|Python|CSV|Parquet|JSON|NDJSON|SHA-256|PCA|ROC|URL|UTC|ID|API|[A-Z]|utf-8|max-age|x"
)
NO_TEXT = "|".join(
    (
        r"\{#.*?#\}",
        r"\{%-?\s*trans\b.*?endtrans\s*-?%\}",
        r"<script.*?</script>",
        r"\{% block body_class %\}.*?\{% endblock %\}",
    )
)
WITH_TEXT = ("aria-label", "title", "placeholder", "alt", "aria-valuetext", "aria-description")


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_text_of_a_template_escapes_translation(path: Path) -> None:
    assert untranslated(path.read_text("utf-8")) == []


def test_that_check_finds_what_escapes() -> None:
    found = untranslated('<p title="Hello {{ name }}">{{ _("Fine") }} but <b>not this</b></p>{# a comment #}')
    assert found == ["but", "not this", "Hello"]
    environment().parse("{{ _('Fine') }}")


def untranslated(source: str) -> list[str]:
    """Find words of a template that stand outside of `_()`."""
    source = re.sub(NO_TEXT, " ", source, flags=re.S)
    source = re.sub(r"\{\{.*?\}\}|\{%.*?%\}", "\x00", source, flags=re.S)
    outside = re.sub(r'<[^>]*>|[\w-]+="[^"]*"', "\x01", source)
    inside = [
        text
        for tag in re.findall(r"<[^>]*>", source, flags=re.S)
        for name, text in re.findall(r'([\w-]+)="([^"]*)"', tag)
        if name in WITH_TEXT or name.startswith("data-text")
    ]
    pieces = [piece.strip() for text in (outside, *inside) for piece in re.split("[\x00\x01]", text)]
    words = [(piece, ALLOWED.sub("", re.sub(r"&\w+;", "", piece))) for piece in pieces]
    return [piece for piece, rest in words if re.search(r"[A-Za-zÀ-ž]{2}", rest)]


def _script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("messages", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
