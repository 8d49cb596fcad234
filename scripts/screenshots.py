"""Write a picture of every page, on a wide screen and on a phone, to ./screenshots (not in git).

Usage: `python scripts/screenshots.py [--folder FOLDER] [--no-scripts]`. Server and data are its own.
"""

import argparse
import csv
import sys
import tempfile
from pathlib import Path

from live import Server, browsing, log_in, serving, set_up_link
from playwright.sync_api import Browser, Page

from pynomaly import samples

ROOT = Path(__file__).resolve().parent.parent
WIDTHS = {"wide": 1280, "phone": 360}
JOB_MILLISECONDS = 120_000


class Camera:
    """Takes a page's pictures at all widths."""

    def __init__(self, page: Page, folder: Path) -> None:
        """Photograph `page` into `folder`."""
        self.page = page
        self.folder = folder

    def shoot(self, name: str, address: str = "") -> None:
        """Go to `address` (empty: stay) and write its pictures."""
        if address:
            self.page.goto(address)
        for size, width in WIDTHS.items():
            self.page.set_viewport_size({"width": width, "height": 800})
            self.page.screenshot(
                path=self.folder / f"{name}-{size}.png", full_page=True, animations="disabled"
            )
        print(name)


def upload(page: Page, path: Path, label: str = "") -> str:
    """Upload a file, wait until it is read or refused, and return its page's address."""
    page.goto("/datasets/new")
    page.get_by_label("File", exact=True).set_input_files(path)
    page.get_by_label("Label column").fill(label)
    page.get_by_role("button", name="Upload").click()
    page.locator("#columns-title, .alert-danger").first.wait_for(timeout=JOB_MILLISECONDS)
    return page.url


def before_log_in(camera: Camera, server: Server) -> None:
    """The pages for strangers."""
    camera.shoot("login", "/login")
    camera.page.get_by_label("E-mail address").fill(server.email)
    camera.page.get_by_label("Password").fill("not the password")
    camera.page.get_by_role("button", name="Log in").click()
    camera.shoot("login-refused")


def set_up(browser: Browser, folder: Path) -> None:
    """The page that makes the first administrator."""
    with tempfile.TemporaryDirectory() as home, serving(Path(home), administrator=False) as server:
        context = browser.new_context(base_url=server.url)
        Camera(context.new_page(), folder).shoot("setup", set_up_link(server))
        context.close()


def while_empty(camera: Camera) -> None:
    """The pages of a new installation."""
    for name, address in (
        ("home-empty", "/"),
        ("datasets-empty", "/datasets"),
        ("detections-empty", "/detections"),
        ("detectors-empty", "/detectors"),
        ("choose-empty", "/detections/new"),
        ("upload", "/datasets/new"),
        ("not-found", "/nowhere"),
    ):
        camera.shoot(name, address)


def dented_payments(folder: Path) -> Path:
    """Payments without the kind of fraud, and with one cell that cannot be read."""
    path = folder / "payments.csv"
    samples.write_csv("payments", path)
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    rows[39]["amount"] = "n/a??"
    names = [name for name in rows[0] if name != "fraud_kind"]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path


def datasets(camera: Camera, folder: Path) -> tuple[str, str]:
    """Datasets, good, dented and refused; returns the addresses of two good ones."""
    page = camera.page
    dented = upload(page, dented_payments(folder), "is_fraud")
    camera.shoot("dataset", dented)
    camera.shoot("dataset-rows", f"{dented}/rows")
    wine = folder / "wine.csv"
    samples.write_csv("wine", wine)
    good = upload(page, wine, "is_anomaly")
    noise = folder / "noise.csv"
    noise.write_bytes(bytes(range(256)) * 40)
    camera.shoot("dataset-failed", upload(page, noise))
    camera.shoot("datasets", "/datasets")
    return dented, good


def detections(camera: Camera, dataset: str) -> None:
    """The form, a job on its way, its result, a list."""
    page = camera.page
    id_ = dataset.rsplit("/", 1)[1]
    camera.shoot("choose", "/detections/new")
    camera.shoot("detect", f"/detections/new?dataset={id_}")
    for summary in page.locator("details.choice-more > summary").all():
        summary.click()
    camera.shoot("detect-choices")
    camera.shoot("detect-svm", f"/detections/new?dataset={id_}&algorithm=one_class_svm")
    page.get_by_label("Nu", exact=True).fill("2")
    page.get_by_label("Gamma").fill("steep")
    submit_as_is(page)
    camera.shoot("detect-wrong")
    page.goto(f"/detections/new?dataset={id_}&algorithm=local_outlier_factor")
    page.get_by_role("button", name="Find anomalies").click()
    camera.shoot("running")
    finished(page)
    page.goto(f"/detections/new?dataset={id_}")
    page.get_by_role("button", name="Find anomalies").click()
    finished(page)
    page.wait_for_timeout(500)
    camera.shoot("result")
    page.locator(".ranked details summary").first.click()
    page.locator("figure details summary").click()
    camera.shoot("result-open")
    camera.shoot("detections", "/detections")


def submit_as_is(page: Page) -> None:
    """Send the form although the browser would complain first."""
    page.locator("form.panel").evaluate("form => { form.noValidate = true; }")
    page.get_by_role("button", name="Find anomalies").click()


def finished(page: Page) -> None:
    """Wait for a result."""
    page.locator("#rows-title").wait_for(timeout=JOB_MILLISECONDS)


def detectors(camera: Camera, dataset: str) -> None:
    """Making, training and using a detector."""
    page = camera.page
    camera.shoot("detector-new", "/detectors/new?algorithm=elliptic_envelope")
    page.get_by_label("Name").fill("Wine check")
    page.get_by_role("button", name="Make the detector").click()
    camera.shoot("detector-untrained")
    page.get_by_label("Dataset").select_option(dataset.rsplit("/", 1)[1])
    page.get_by_role("button", name="Train").click()
    page.locator("#model-title, .alert-danger").first.wait_for(timeout=JOB_MILLISECONDS)
    camera.shoot("detector")
    camera.shoot("detector-edit", f"{page.url}/edit")
    camera.shoot("detectors", "/detectors")
    camera.shoot("home", "/")


def tour(browser: Browser, server: Server, folder: Path, files: Path, scripts: bool) -> None:
    """Visit every page in the order in which a new user would."""
    context = browser.new_context(base_url=server.url, java_script_enabled=scripts)
    camera = Camera(context.new_page(), folder)
    before_log_in(camera, server)
    camera.page.goto("/login")
    log_in(camera.page, server)
    while_empty(camera)
    dented, good = datasets(camera, files)
    detections(camera, dented)
    detectors(camera, good)
    context.close()


def main(arguments: list[str] | None = None) -> int:
    """Take all pictures; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", type=Path, default=ROOT / "screenshots")
    parser.add_argument("--no-scripts", action="store_true", help="with JavaScript off")
    options = parser.parse_args(arguments)
    options.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryDirectory() as files, browsing() as browser:
        if browser is None:
            print("There is no Chromium on this machine.", file=sys.stderr)
            return 1
        set_up(browser, options.folder)
        with serving(Path(home)) as server:
            tour(browser, server, options.folder, Path(files), not options.no_scripts)
    return 0


if __name__ == "__main__":
    sys.exit(main())
