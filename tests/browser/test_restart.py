"""A server that goes away and comes back: the page goes on by itself, and the job is done."""

import random
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from pynomaly.client import Client

pytestmark = pytest.mark.browser
SLOW = 60_000


def test_a_page_goes_on_when_the_server_was_started_again(
    browser: Browser, serving: Callable[..., Any], fill_log_in: Callable[..., None], tmp_path: Path
) -> None:
    source = random.Random(3)
    table = tmp_path / "large.csv"
    rows = (",".join(f"{source.gauss(0, 1):.3f}" for _ in range(10)) for _ in range(30_000))
    table.write_text("\n".join([",".join("abcdefghij"), *rows]))
    with ExitStack() as stack, ExitStack() as first:
        server = first.enter_context(serving(tmp_path))
        with Client(server.url, email=server.email, password=server.password) as client:
            dataset = client.datasets.upload(table)
            recipe = {"algorithm": "local_outlier_factor", "parameters": {"n_neighbors": 250}}
            result = client.detections.detect(dataset, wait=False, **recipe)  # type: ignore[arg-type]
        context = stack.enter_context(browser.new_context(base_url=server.url))
        page = context.new_page()
        page.goto("/login")
        fill_log_in(page, server)
        page.goto(f"/detections/{result.id}")
        expect(page.get_by_role("progressbar")).to_be_visible()
        first.close()
        page.wait_for_timeout(1500)
        expect(page.get_by_role("progressbar")).to_be_visible()  # nothing that was shown is gone
        stack.enter_context(serving(tmp_path, port=urlsplit(server.url).port))
        expect(page.get_by_role("progressbar")).to_be_hidden(timeout=SLOW)
        expect(page.locator(".cases")).to_be_visible()
