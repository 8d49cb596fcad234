"""`pynomaly config show` lists every setting and shows no secret."""

import json

import pytest

from pynomaly.cli.main import main
from pynomaly.settings import Settings

SECRET = "hunter2hunter2hunter2hunter2hunter2"


def test_every_setting_is_listed_with_its_source_and_meaning(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYNOMALY_PORT", "9000")
    assert main(["config", "show", "--format", "json"]) == 0
    rows = {row["variable"]: row for row in json.loads(capsys.readouterr().out)}
    assert set(rows) == {f"PYNOMALY_{name.upper()}" for name in Settings.model_fields}
    assert (rows["PYNOMALY_PORT"]["value"], rows["PYNOMALY_PORT"]["source"]) == (9000, "environment")
    assert (rows["PYNOMALY_HOST"]["value"], rows["PYNOMALY_HOST"]["source"]) == ("127.0.0.1", "default")
    assert rows["PYNOMALY_ADMIN_PASSWORD_FILE"]["value"] == ""
    assert all(row["help"] for row in rows.values())


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://ada:{SECRET}@db.example/pynomaly",
        f"postgresql://db.example/pynomaly?user=ada&password={SECRET}",
        f"{SECRET}",
    ],
)
def test_no_secret_is_shown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("PYNOMALY_SECRET_KEY", SECRET)
    monkeypatch.setenv("PYNOMALY_DATABASE_URL", url)
    for style in ("table", "json"):
        assert main(["config", "show", "--format", style]) == 0
        text = capsys.readouterr().out
        assert SECRET not in text
        assert "********" in text
        assert "db.example" in text or url == SECRET


def test_a_setting_that_cannot_be_used_is_named_and_not_repeated(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYNOMALY_PORT", SECRET)
    assert main(["config", "show"]) == 2
    error = capsys.readouterr().err
    assert "PYNOMALY_PORT cannot be used" in error
    assert SECRET not in error
    assert error.count("\n") == 1
