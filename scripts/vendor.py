"""Copy the few third-party files that the web interface serves from their npm packages into `static/vendor`.

The versions and their checksums are pinned in `package-lock.json`, which names no registry. A second run does
nothing, so it needs neither npm nor a network. Usage: `python scripts/vendor.py [--npm "COMMAND"] [--force]`.
"""

import argparse
import hashlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "src" / "pynomaly" / "server" / "web" / "static" / "vendor"
STAMP = ".stamp"

FILES = {
    "bootstrap/dist/css/bootstrap.min.css": "bootstrap.min.css",
    "bootstrap/LICENSE": "bootstrap.LICENSE.txt",
    "chart.js/dist/chart.umd.min.js": "chart.umd.min.js",
    "chart.js/LICENSE.md": "chart.LICENSE.txt",
    "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2": "inter-5.3.0-latin.woff2",
    "@fontsource-variable/inter/files/inter-latin-ext-wght-normal.woff2": "inter-5.3.0-latin-ext.woff2",
    "@fontsource-variable/inter/LICENSE": "inter.LICENSE.txt",
    "heroicons/LICENSE": "heroicons.LICENSE.txt",
    "swagger-ui-dist/swagger-ui.css": "swagger-ui.css",
    "swagger-ui-dist/swagger-ui-bundle.js": "swagger-ui-bundle.js",
    "swagger-ui-dist/LICENSE": "swagger-ui.LICENSE.txt",
    "swagger-ui-dist/NOTICE": "swagger-ui.NOTICE.txt",
    "redoc/bundles/redoc.standalone.js": "redoc.standalone.js",
    "redoc/LICENSE": "redoc.LICENSE.txt",
}
"""Path under `node_modules` -> name under `static/vendor`."""

ICONS = {
    "account": "user-circle",
    "add": "plus",
    "admin": "cog-6-tooth",
    "anomaly": "exclamation-triangle",
    "back": "arrow-left",
    "code": "code-bracket",
    "compare": "scale",
    "copy": "clipboard-document",
    "dark": "moon",
    "datasets": "table-cells",
    "delete": "trash",
    "detectors": "cpu-chip",
    "download": "arrow-down-tray",
    "edit": "pencil-square",
    "filter": "funnel",
    "find": "sparkles",
    "help": "question-mark-circle",
    "home": "home",
    "jobs": "queue-list",
    "key": "key",
    "light": "sun",
    "normal": "check-circle",
    "note": "chat-bubble-left",
    "results": "chart-bar",
    "retry": "arrow-path",
    "sample": "beaker",
    "search": "magnifying-glass",
    "share": "share",
    "skip": "forward",
    "system": "computer-desktop",
    "time": "clock",
    "triage": "inbox",
    "undo": "arrow-uturn-left",
    "upload": "arrow-up-tray",
    "users": "users",
}
"""What an icon stands for -> its drawing in `heroicons/24/outline`; all become one file of symbols."""
SPRITE = "icons.svg"
DRAWING = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)

WITHOUT = {"redoc.standalone.js": (b"https://cdn.redoc.ly/redoc/logo-mini.svg", b"data:,")}
"""Name -> an address elsewhere that the file would load from, and what takes its place."""


class VendorError(Exception):
    """The files cannot be fetched."""


def fingerprint() -> str:
    """Hash what the result depends on: the locked versions and the list of files."""
    digest = hashlib.sha256((ROOT / "package-lock.json").read_bytes())
    digest.update(repr([sorted(part.items()) for part in (FILES, ICONS, WITHOUT)]).encode())
    return digest.hexdigest()


def is_current(target: Path) -> bool:
    """Tell whether `target` holds all files of the present lock."""
    stamp = target / STAMP
    if not stamp.is_file() or stamp.read_text("utf-8").strip() != fingerprint():
        return False
    return all((target / name).is_file() for name in (*FILES.values(), SPRITE))


def install(npm: list[str], folder: Path) -> Path:
    """Install the locked packages into `folder`, running none of their scripts; return `node_modules`."""
    for name in ("package.json", "package-lock.json"):
        shutil.copy(ROOT / name, folder / name)
    command = [*npm, "ci", "--ignore-scripts", "--omit=peer", "--no-audit", "--no-fund"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    except OSError as problem:
        raise VendorError(
            f"cannot run {npm[0]!r}: {problem.strerror}. Hand npm over with --npm."
        ) from problem
    if done.returncode:
        raise VendorError(f"{shlex.join(command)} failed:\n{done.stdout}{done.stderr}")
    return folder / "node_modules"


def sprite(drawings: Path) -> str:
    """Put the icons into one file, from which pages take them as `icons.svg#name`."""
    symbols = []
    for name, drawing in sorted(ICONS.items()):
        found = DRAWING.search((drawings / f"{drawing}.svg").read_text("utf-8"))
        if found is None:
            raise VendorError(f"{drawing}.svg holds no drawing.")
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{found[1].strip()}</symbol>')
    return f'<svg xmlns="http://www.w3.org/2000/svg">{"".join(symbols)}</svg>\n'


def replace(modules: Path, target: Path) -> None:
    """Put the wanted files in place of `target`: all of them, or (on an error) none."""
    fresh = target.with_name(target.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    for source, name in FILES.items():
        shutil.copyfile(modules / source, fresh / name)
    (fresh / SPRITE).write_text(sprite(modules / "heroicons" / "24" / "outline"), "utf-8")
    for name, (address, instead) in WITHOUT.items():
        content = (fresh / name).read_bytes()
        (fresh / name).write_bytes(content.replace(address, instead))
    (fresh / STAMP).write_text(fingerprint() + "\n", "utf-8")
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)


def main(arguments: list[str] | None = None) -> int:
    """Bring `static/vendor` up to date; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--npm", default="npm", help="the npm command, when it is not on the PATH")
    parser.add_argument("--target", type=Path, default=TARGET, help=argparse.SUPPRESS)
    parser.add_argument("--force", action="store_true", help="fetch again even when all is there")
    options = parser.parse_args(arguments)
    if is_current(options.target) and not options.force:
        return 0
    try:
        with tempfile.TemporaryDirectory(prefix="pynomaly-vendor-") as folder:
            replace(install(shlex.split(options.npm), Path(folder)), options.target)
    except (VendorError, OSError) as problem:
        print(f"vendor: {problem}", file=sys.stderr)
        return 1
    print(f"vendor: {len(FILES)} files in {options.target}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
