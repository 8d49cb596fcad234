"""What the documents promise is there, and what is there is documented."""

import re
from pathlib import Path

import pytest

from pynomaly.cli.main import VERBS
from pynomaly.detection.catalogue import CATALOGUE
from pynomaly.server.web.app import create_app
from pynomaly.settings import Settings

ROOT = Path(__file__).parents[1]
DOCS = {
    path.relative_to(ROOT).as_posix(): path.read_text()
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
}


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_documented(name: str) -> None:
    line = f"| `PYNOMALY_{name.upper()}` |"
    [found] = [row for row in DOCS["docs/server.md"].splitlines() if row.startswith(line)]
    assert found.endswith(f"| {Settings.model_fields[name].description} |")


def test_every_operation_is_documented(tmp_path: Path) -> None:
    app = create_app(Settings(home=tmp_path, database_url=""))
    told = DOCS["docs/api.md"]
    for path in app.openapi()["paths"]:
        assert path.removeprefix("/api/v1") in told, f"docs/api.md does not name {path}"


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_algorithm_is_documented(name: str) -> None:
    assert f"`{name}`" in DOCS["docs/scores.md"] + DOCS["docs/extras.md"]


@pytest.mark.parametrize("name", DOCS)
def test_links_lead_somewhere(name: str) -> None:
    folder = (ROOT / name).parent
    for target in re.findall(r"\]\(([^)#:]+)\)", DOCS[name]):
        assert (folder / target).exists(), f"{name} links to {target}"


def test_commands_in_the_documents_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for name, text in DOCS.items():
        code = "\n".join(re.findall(r"`[^`]+`", text))
        for target in re.findall(r"\bmake ([a-z-]+)", code):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"{name} says make {target}"
        for verb in re.findall(r"(?<![\w/])pynomaly ([a-z]+)\b", code):
            assert verb in VERBS, f"{name} says pynomaly {verb}"


def test_decisions_are_numbered_in_a_row() -> None:
    numbers = sorted(int(Path(name).name[:4]) for name in DOCS if name.startswith("docs/decisions/"))
    assert numbers == list(range(1, len(numbers) + 1))
