"""The script that copies third-party files: all or nothing, offline the second time, with any npm."""

import importlib.util
import stat
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "vendor.py"

NPM = """#!/bin/sh
# An npm that installs from no network: what `npm ci` would leave behind.
[ "$1" = ci ] || exit 2
for file in bootstrap/dist/css/bootstrap.min.css bootstrap/LICENSE \\
    chart.js/dist/chart.umd.min.js chart.js/LICENSE.md \\
    swagger-ui-dist/swagger-ui.css swagger-ui-dist/swagger-ui-bundle.js swagger-ui-dist/LICENSE \\
    swagger-ui-dist/NOTICE redoc/bundles/redoc.standalone.js redoc/LICENSE \\
    @fontsource-variable/inter/files/inter-latin-wght-normal.woff2 @fontsource-variable/inter/LICENSE \\
    @fontsource-variable/inter/files/inter-latin-ext-wght-normal.woff2 heroicons/LICENSE; do
  mkdir -p "node_modules/$(dirname "$file")"
  echo "$file" > "node_modules/$file"
done
mkdir -p node_modules/heroicons/24/outline
for icon in user-circle plus cog-6-tooth exclamation-triangle arrow-left code-bracket scale \\
    clipboard-document moon table-cells trash cpu-chip arrow-down-tray pencil-square funnel sparkles \\
    question-mark-circle home queue-list key sun check-circle chat-bubble-left chart-bar arrow-path \\
    beaker magnifying-glass share forward computer-desktop clock inbox arrow-uturn-left \\
    arrow-up-tray users; do
  echo "<svg stroke='black'><path d='M0 0'/></svg>" > node_modules/heroicons/24/outline/$icon.svg
done
"""


@pytest.fixture
def vendor() -> ModuleType:
    spec = importlib.util.spec_from_file_location("vendor", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def npm(tmp_path: Path) -> str:
    script = tmp_path / "npm"
    script.write_text(NPM)
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return str(script)


def test_copies_then_needs_npm_no_more(vendor: ModuleType, npm: str, tmp_path: Path) -> None:
    target = tmp_path / "vendor"
    assert vendor.main(["--npm", npm, "--target", str(target)]) == 0
    assert {p.name for p in target.iterdir()} == {*vendor.FILES.values(), vendor.SPRITE, vendor.STAMP}
    icons = (target / vendor.SPRITE).read_text()
    assert all(f'<symbol id="{name}" viewBox="0 0 24 24"><path' in icons for name in vendor.ICONS)
    assert vendor.main(["--npm", "/nowhere/npm", "--target", str(target)]) == 0


def test_a_lost_file_is_fetched_again(vendor: ModuleType, npm: str, tmp_path: Path) -> None:
    target = tmp_path / "vendor"
    vendor.main(["--npm", npm, "--target", str(target)])
    (target / "chart.umd.min.js").unlink()
    assert vendor.main(["--npm", npm, "--target", str(target)]) == 0
    assert (target / "chart.umd.min.js").exists()


def test_without_npm_it_says_so_and_leaves_nothing(
    vendor: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "vendor"
    assert vendor.main(["--npm", "/nowhere/npm", "--target", str(target)]) == 1
    assert "--npm" in capsys.readouterr().err
    assert not target.exists()


def test_a_failed_install_keeps_the_old_files(
    vendor: ModuleType, npm: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "vendor"
    vendor.main(["--npm", npm, "--target", str(target)])
    assert vendor.main(["--npm", "false", "--target", str(target), "--force"]) == 1
    assert "failed" in capsys.readouterr().err
    assert vendor.is_current(target)


def test_the_lock_names_no_host() -> None:
    assert "resolved" not in (SCRIPT.parents[1] / "package-lock.json").read_text("utf-8")
