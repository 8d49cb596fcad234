"""What Lighthouse says of each page: performance, accessibility, good practice (needs npx and Chromium)."""

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import loads
from measure import report

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "scripts"))
import live
import tour

FLAGS = " ".join(["--headless=new", *live.FLAGS])
PAGES = "^(dashboard|upload|dataset|detect|history|result|triage-row|detector)$"
CATEGORIES = ("performance", "accessibility", "best-practices")
TIMES = {
    "FCP ms": "first-contentful-paint",
    "LCP ms": "largest-contentful-paint",
    "blocked ms": "total-blocking-time",
    "shift": "cumulative-layout-shift",
}


def audit(command: list[str], url: str, cookie: str, form: str) -> dict[str, Any]:
    """Let Lighthouse load a page as `form` ("desktop" or "mobile") and return its report."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "report.json")
        flags = [f"--output-path={path}", "--output=json", "--quiet", f"--chrome-flags={FLAGS}"]
        flags += [f"--only-categories={','.join(CATEGORIES)}"]
        flags += ["--extra-headers", json.dumps({"Cookie": cookie})]
        if form == "desktop":
            flags.append("--preset=desktop")
        environment = os.environ | {"CHROME_PATH": _chromium()}
        subprocess.run([*command, url, *flags], check=True, env=environment, capture_output=True)
        found: dict[str, Any] = json.loads(path.read_text())
        return found


def line(name: str, form: str, found: dict[str, Any]) -> dict[str, object]:
    """Sum a report up."""
    scores = {one: round(100 * found["categories"][one]["score"]) for one in CATEGORIES}
    times = {title: round(found["audits"][key]["numericValue"], 3) for title, key in TIMES.items()}
    kb = found["audits"]["total-byte-weight"]["numericValue"] / 1000
    failed = [
        key
        for key, one in found["audits"].items()
        if one["score"] == 0 and one["scoreDisplayMode"] == "binary"
    ]
    return {"page": name, "as": form, **scores, **times, "kB": kb, "failed": " ".join(failed)}


def _chromium() -> str:
    with live.sync_playwright() as playwright:
        found = live.chromium(playwright)
    if found is None:
        raise RuntimeError("there is no Chromium on this machine")
    return found


def main() -> int:
    """Audit the pages of the tour."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--lighthouse", default="npx --yes lighthouse", help="the command")
    arguments.add_argument(
        "--only", default="^(dashboard|upload|dataset|detect|history|result|triage-row|detector)$"
    )
    options = arguments.parse_args()
    command = shlex.split(options.lighthouse)
    table = []
    with tempfile.TemporaryDirectory() as name:
        home, files = Path(name, "home"), Path(name, "files")
        home.mkdir()
        files.mkdir()
        with live.serving(home) as server:
            stops = [one for one in tour.furnish(server, files) if re.search(options.only, one.name)]
            with loads.chromium() as browser:
                state = loads.log_in(browser, server.url, server.email, server.password)
            cookie = "; ".join(f"{one['name']}={one['value']}" for one in state["cookies"])
            for stop in stops:
                for form in ("desktop", "mobile"):
                    found = audit(command, server.url + stop.address, cookie, form)
                    table.append(line(stop.name, form, found))
    report("Lighthouse", table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
