"""Triage by single keys, and choosing results to compare."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
OPEN = Callable[..., Page]
NAME = "<img src=x onerror=alert(1)> " + "a_long_name_without_blanks_" * 4


@pytest.fixture(scope="module")
def results(server: Any, payments: Path) -> list[str]:
    """Two results of three and of five anomalies."""
    with httpx.Client(base_url=f"{server.url}/api/v1", timeout=60) as api:
        token = api.post("/auth/login", json={"email": server.email, "password": server.password}).json()
        api.headers.update({"Authorization": f"Bearer {token['access_token']}", "Prefer": "wait=60"})
        with payments.open("rb") as file:
            made = api.post("/datasets/upload", files={"file": file}, data={"name": NAME})
        body = {"dataset_id": made.json()["id"], "algorithm": "isolation_forest"}
        made_of = [api.post("/detection/detect", json=body | {"max_alerts": count}) for count in (3, 5)]
        return [answer.json()["id"] for answer in made_of]


def press(page: Page, key: str, row: str) -> None:
    """Press a key that leads to another row."""
    page.keyboard.press(key)
    expect(page).to_have_url(re.compile(rf"row={row}(&|$)"))
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"Row {row}")


def test_single_keys(open_page: OPEN, results: list[str]) -> None:
    """Each key does what its button does; none while somebody types, holds Ctrl, or switched them off."""
    page = open_page()
    page.goto(f"/triage/{results[0]}")
    first, second = "50", "150"
    rows = [page.url.split("row=")[1]]
    page.keyboard.press("j")
    page.wait_for_url(lambda url: not url.endswith(f"row={rows[0]}"))
    rows.append(page.url.split("row=")[1])
    assert {*rows} <= {first, second, "250"}
    first, second = rows
    press(page, "k", first)
    press(page, "a", second)
    expect(page.get_by_role("status").first).to_contain_text(f"Row {first}: your verdict is kept.")
    expect(page.locator(".judged")).to_contain_text("1 of 3 judged")
    press(page, "u", first)
    expect(page.locator(".judged")).to_contain_text("0 of 3 judged")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("a")  # not while the help is open
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.get_by_label("Note").press_sequentially("an unusual nut?")
    page.get_by_label("Note").press("Tab")
    page.keyboard.press("Control+a")
    expect(page.get_by_label("Note")).to_have_value("an unusual nut?")
    page.get_by_label("Single keys").uncheck()
    page.keyboard.press("n")
    page.reload()
    expect(page.get_by_label("Single keys")).not_to_be_checked()
    page.keyboard.press("j")
    expect(page).to_have_url(re.compile(rf"row={first}$"))
    expect(page.locator(".judged")).to_contain_text("0 of 3 judged")


def test_two_results_are_chosen_and_compared(open_page: OPEN, results: list[str]) -> None:
    page = open_page()
    page.goto("/detections?name=onerror")
    button = page.get_by_role("button", name="Compare")
    expect(button).to_be_disabled()
    for box in page.get_by_role("checkbox").all()[:2]:
        box.check()
    expect(button).to_have_text("Compare (2)")
    button.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("2 results side by side")
    page.go_back()
    expect(button).to_be_enabled()


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 320)])
def test_axe_finds_nothing_and_nothing_sticks_out(
    open_page: OPEN, results: list[str], theme: str, width: int
) -> None:
    page = open_page(theme=theme, width=width)
    one, other = results
    for address in (
        "/triage",
        f"/triage/{other}",
        "/detections?name=onerror",
        f"/detections/compare?id={one}&id={other}",
    ):
        page.goto(address)
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
        found = Axe().run(page)
        assert found.violations_count == 0, f"{address}\n{found.generate_report()}"
