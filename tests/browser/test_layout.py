"""Every page fits a narrow screen, has one heading, named fields and a way past the navigation."""

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
OPEN = Callable[..., Page]

NOT_FOUND = ("status of 404",)

UNNAMED = """() => [...document.querySelectorAll('input:not([type=hidden]), select, textarea, button, a')]
    .filter(e => !(e.labels && e.labels.length) && !e.textContent.trim() && !e.getAttribute('aria-label'))
    .map(e => e.outerHTML)"""
TOO_SMALL = """() => [...document.querySelectorAll('button, .btn, .menu a, .choice')]
    .filter(e => { const r = e.getBoundingClientRect(); return r.width && Math.min(r.width, r.height) < 24; })
    .map(e => e.outerHTML)"""
UNTIED = """() => [...document.querySelectorAll('[aria-describedby], [aria-labelledby]')]
    .flatMap(e => ['aria-describedby', 'aria-labelledby'].flatMap(a => (e.getAttribute(a) || '').split(' ')))
    .filter(id => id && !document.getElementById(id))"""


@pytest.mark.parametrize("js", [True, False], ids=["scripts", "no-scripts"])
def test_every_page_at_320_pixels(open_page: OPEN, stops: dict[str, str], js: bool) -> None:
    page = open_page(js=js, width=320, expected=NOT_FOUND)
    for address in stops.values():
        page.goto(address)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 320, f"{address} is {wide} pixels wide"
        assert page.locator("h1").count() == 1, address
        for check in (UNNAMED, TOO_SMALL, UNTIED):
            assert page.evaluate(check) == [], address


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 320)])
def test_axe_finds_nothing(open_page: OPEN, stops: dict[str, str], theme: str, width: int) -> None:
    page, stranger = (
        open_page(theme=theme, width=width, logged_in=yes, expected=NOT_FOUND) for yes in (True, False)
    )
    wrong = {}
    for address in [*stops.values(), "/login"]:
        at = stranger if address == "/login" else page
        at.goto(address)
        at.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        found = Axe().run(at)
        if found.violations_count:
            wrong[address] = found.generate_report()
    assert wrong == {}, "\n".join(wrong.values())


INK = "getComputedStyle(document.body).color"


@pytest.mark.parametrize("js", [True, False], ids=["scripts", "no-scripts"])
def test_the_theme_follows_the_system_until_one_is_chosen(open_page: OPEN, js: bool) -> None:
    light, page = open_page(), open_page(js=js, theme="dark")
    light.goto("/datasets")
    page.goto("/datasets?sort=name")
    dark = page.evaluate(INK)
    assert dark != light.evaluate(INK)
    page.get_by_role("button", name="Light", exact=True).click()
    expect(page).to_have_url(re.compile(r"/datasets\?sort=name$"))
    assert page.evaluate(INK) == light.evaluate(INK)
    expect(page.get_by_role("button", name="Light", exact=True)).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="As the system has it").click()
    page.wait_for_load_state()
    assert page.evaluate(INK) == dark


def test_the_skip_link_comes_first_and_works(open_page: OPEN) -> None:
    page = open_page()
    page.goto("/datasets")
    page.keyboard.press("Tab")
    link = page.get_by_role("link", name="Skip to the content")
    expect(link).to_be_focused()
    expect(link).to_be_in_viewport()
    page.keyboard.press("Enter")
    assert page.url.endswith("#main")


def test_styles_and_pictures_come_with_a_years_cache(open_page: OPEN) -> None:
    page = open_page()
    answers = []
    page.on("response", lambda answer: answers.append(answer))
    page.goto("/datasets")
    kept = [a for a in answers if "/static/" in a.url]
    assert len(kept) >= 3
    assert all("max-age=31536000" in (a.header_value("cache-control") or "") for a in kept)
    assert all(a.ok for a in answers)
