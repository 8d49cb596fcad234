"""Write a picture of every page to ./screenshots (not in git): light, dark, and on a phone.

Usage: `python scripts/screenshots.py [--folder FOLDER] [--only TEXT] [--no-scripts]`. Server and data are its
own.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from live import Server, browsing, log_in, serving, set_up_link
from playwright.sync_api import Browser, Page
from tour import Stop, empty_pages, furnish

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Look:
    """How a page is looked at."""

    name: str
    width: int
    theme: Literal["light", "dark"]


LOOKS = (Look("light", 1280, "light"), Look("dark", 1280, "dark"), Look("phone", 360, "light"))


class Camera:
    """Takes every page's pictures in all looks, with a page of its own for each."""

    def __init__(self, browser: Browser, server: Server, folder: Path, only: str, scripts: bool) -> None:
        """Photograph pages of `server` into `folder`."""
        self._folder, self._only = folder, only
        self._pages: list[tuple[Look, Page]] = []
        for look in LOOKS:
            context = browser.new_context(
                base_url=server.url,
                java_script_enabled=scripts,
                viewport={"width": look.width, "height": 900},
                color_scheme=look.theme,
            )
            self._pages.append((look, context.new_page()))

    def log_in(self, server: Server) -> None:
        """Log in with every look."""
        for _, page in self._pages:
            page.goto("/login")
            log_in(page, server)

    def shoot(self, stops: Sequence[Stop]) -> None:
        """Write the pictures of pages."""
        for stop in stops:
            if self._only and self._only not in stop.name:
                continue
            for look, page in self._pages:
                page.goto(stop.address)
                page.wait_for_timeout(250)  # charts are drawn
                picture = self._folder / f"{stop.name}-{look.name}.png"
                page.screenshot(path=picture, full_page=True, animations="disabled")
            print(stop.name)


def main(arguments: list[str] | None = None) -> int:
    """Take all pictures; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", type=Path, default=ROOT / "screenshots")
    parser.add_argument("--only", default="", help="only pages whose name holds this")
    parser.add_argument("--no-scripts", action="store_true", help="with JavaScript off")
    options = parser.parse_args(arguments)
    options.folder.mkdir(parents=True, exist_ok=True)
    looks = (options.folder, options.only, not options.no_scripts)
    with tempfile.TemporaryDirectory() as name, browsing() as browser:
        if browser is None:
            print("There is no Chromium on this machine.", file=sys.stderr)
            return 1
        home, fresh, files = (Path(name, part) for part in ("home", "fresh", "files"))
        for folder in (home, fresh, files):
            folder.mkdir()
        with serving(fresh, administrator=False) as server:
            Camera(browser, server, *looks).shoot([Stop("set-up", set_up_link(server))])
        with serving(home) as server:
            camera = Camera(browser, server, *looks)
            camera.shoot([Stop("log-in", "/login")])
            camera.log_in(server)
            camera.shoot(empty_pages())
            camera.shoot(furnish(server, files))
    return 0


if __name__ == "__main__":
    sys.exit(main())
