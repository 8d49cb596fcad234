"""How a page loads in Chromium with an empty cache and a slow CPU: what is sent, drawn and shifted."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "scripts"))
import live

SLOWER, TARGET_KB, TARGET_LCP_MS, TARGET_SHIFT = 4, 350, 1000, 0.05
WATCH = """() => {
  window.seen = { lcp: 0, shift: 0 };
  new PerformanceObserver(list => list.getEntries().forEach(one => { window.seen.lcp = one.startTime; }))
    .observe({ type: 'largest-contentful-paint', buffered: true });
  new PerformanceObserver(list => list.getEntries().forEach(one => {
    if (!one.hadRecentInput) window.seen.shift += one.value; }))
    .observe({ type: 'layout-shift', buffered: true });
}"""
TIMES = """() => {
  const nav = performance.getEntriesByType('navigation')[0];
  const fcp = performance.getEntriesByName('first-contentful-paint')[0];
  const painted = fcp ? fcp.startTime : 0;
  return { ...window.seen, fcp: painted, loaded: nav.loadEventEnd, server: nav.responseStart };
}"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run a Chromium; raises RuntimeError when there is none."""
    with live.browsing() as browser:
        if browser is None:
            raise RuntimeError("there is no Chromium on this machine")
        yield browser


def log_in(browser: Browser, url: str, email: str, password: str) -> Any:
    """Log in; returns what a context needs to be logged in too."""
    context = browser.new_context(base_url=url)
    page = context.new_page()
    page.goto("/login")
    page.locator("[name=email]").fill(email)
    page.locator("[name=password]").fill(password)
    page.locator("main form[action='/login'] button, main button.btn-primary").first.click()
    page.wait_for_url(f"{url}/")
    state = context.storage_state()
    context.close()
    return state


def load(browser: Browser, url: str, state: Any, name: str, address: str, runs: int = 3) -> dict[str, object]:
    """Open a page with an empty cache `runs` times; the median load by what was drawn largest."""
    found = []
    for _ in range(runs):
        context = browser.new_context(
            base_url=url, storage_state=state, viewport={"width": 1280, "height": 800}
        )
        found.append(_once(context, address))
        context.close()
    one = sorted(found, key=lambda load: float(load["LCP ms"]))[runs // 2]
    good = (
        one["kB sent"] < TARGET_KB and one["LCP ms"] < TARGET_LCP_MS and one["layout shift"] <= TARGET_SHIFT
    )
    return {"page": name, **one, "350 kB, 1 s, 0.05": "PASS" if good else "short"}


def _once(context: BrowserContext, address: str) -> dict[str, float]:
    page = context.new_page()
    protocol = context.new_cdp_session(page)
    protocol.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    protocol.send("Network.enable")
    sizes: list[float] = []
    protocol.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    page.add_init_script(f"({WATCH})()")
    page.goto(address, wait_until="load")
    page.wait_for_timeout(1000)
    times = page.evaluate(TIMES)
    return {
        "kB sent": sum(sizes) / 1000,
        "requests": len(sizes),
        "first byte ms": times["server"],
        "FCP ms": times["fcp"],
        "LCP ms": times["lcp"],
        "load ms": times["loaded"],
        "layout shift": times["shift"],
    }
