"""The schema: migrated equals declared; migrating is safe to repeat and to do twice at once."""

import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Engine, inspect, text
from sqlalchemy.orm import Session

from pynomaly.errors import ConfigurationError
from pynomaly.server import migrate
from pynomaly.server.datasets.models import Dataset
from pynomaly.server.db import Base, load_models, make_engine
from pynomaly.server.detections.models import Detection
from pynomaly.server.jobs.supervisor import environment
from pynomaly.server.users.models import User
from pynomaly.settings import Settings

Shape = dict[str, dict[str, list[object]]]


def shape(engine: Engine) -> Shape:
    """Names and definitions of everything in the database, as it tells them itself."""
    seen = inspect(engine)
    return {
        table: {
            "columns": sorted((c["name"], str(c["type"]), c["nullable"]) for c in seen.get_columns(table)),
            "keys": [seen.get_pk_constraint(table)["name"]],
            "foreign": sorted(str(key) for key in seen.get_foreign_keys(table)),
            "unique": sorted(str(key) for key in seen.get_unique_constraints(table)),
            "checks": sorted(str(key) for key in seen.get_check_constraints(table)),
            "indexes": sorted(
                (
                    str(index["name"]),
                    str(index.get("expressions", index["column_names"])),
                    str([str(option) for option in index.get("dialect_options", {}).values()]),
                )
                for index in seen.get_indexes(table)
            ),
        }
        for table in seen.get_table_names()
        if table != "alembic_version"
    }


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
def test_migrated_schema_is_the_declared_one(empty_settings: Settings, tmp_path: Path) -> None:
    migrate.upgrade(empty_settings)
    load_models()
    engine = make_engine(empty_settings)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    migrated = shape(engine)
    Base.metadata.drop_all(engine)
    Base.metadata.create_all(engine)
    assert migrated == shape(engine)
    engine.dispose()


def test_upgrade_again_changes_nothing(empty_settings: Settings) -> None:
    assert migrate.current(empty_settings) is None
    assert not migrate.is_current(empty_settings)
    migrate.upgrade(empty_settings)
    migrate.upgrade(empty_settings)
    assert migrate.is_current(empty_settings)
    assert migrate.current(empty_settings) == migrate.revisions()[-1]


def test_downgrade_and_up_again(empty_settings: Settings) -> None:
    migrate.upgrade(empty_settings)
    engine = make_engine(empty_settings)
    with engine.begin() as connection:
        command.downgrade(migrate.configuration(connection), "base")
    assert inspect(engine).get_table_names() == ["alembic_version"]
    engine.dispose()
    migrate.upgrade(empty_settings)
    assert migrate.is_current(empty_settings)


def test_what_results_took_is_worked_out(empty_settings: Settings) -> None:
    """Of results from before it was kept; those without figures have none."""
    migrate.upgrade(empty_settings)
    load_models()
    phases = {"fit": {"seconds": 1.5, "peak_mib": 80.0}, "score": {"seconds": 0.25, "peak_mib": None}}
    user = User(email="ada@example.org", password_hash="x")
    engine = make_engine(empty_settings)
    with Session(engine) as session, session.begin():
        session.add(user)
        session.flush()
        table = Dataset(owner_id=user.id, name="t", filename="t.csv", size_bytes=1)
        for metrics in ({"phases": phases}, {}, None):
            session.add(Detection(owner_id=user.id, dataset=table, algorithm="knn", metrics=metrics))
    before = next(step.down_revision for step in _steps() if "history" in step.path)
    with engine.begin() as connection:
        command.downgrade(migrate.configuration(connection), str(before))
    migrate.upgrade(empty_settings)
    with engine.connect() as connection:
        took = connection.execute(text("SELECT seconds, peak_mib FROM detections ORDER BY seconds")).all()
    engine.dispose()
    assert sorted(map(tuple, took), key=str) == [(1.75, 80.0), (None, None), (None, None)]


def _steps() -> list[Script]:
    return list(ScriptDirectory(str(migrate.FOLDER)).walk_revisions())


def test_two_processes_migrate_once(empty_settings: Settings) -> None:
    code = "from pynomaly.server.migrate import *; upgrade(Settings())"
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code], env=environment(empty_settings), stderr=subprocess.PIPE
        )
        for _ in range(3)
    ]
    for process in started:
        _, errors = process.communicate()
        assert process.returncode == 0, errors.decode()
    assert migrate.is_current(empty_settings)


def test_newer_database_is_refused(empty_settings: Settings) -> None:
    migrate.upgrade(empty_settings)
    engine = make_engine(empty_settings)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(ConfigurationError, match="9999, made by a newer Pynomaly"):
        migrate.upgrade(empty_settings)
    assert not migrate.is_current(empty_settings)


def test_failed_migration_leaves_nothing(empty_settings: Settings) -> None:
    engine = make_engine(empty_settings)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE detections (id INTEGER)"))  # the last one is in the way
    with pytest.raises(Exception, match="detections"):
        migrate.upgrade(empty_settings)
    assert inspect(engine).get_table_names() == ["detections"]
    engine.dispose()


def test_revisions_are_alembics() -> None:
    script = ScriptDirectory(str(migrate.FOLDER))
    assert [step.revision for step in reversed(list(script.walk_revisions()))] == migrate.revisions()
    assert script.get_heads() == [migrate.revisions()[-1]]


def test_a_database_that_cannot_be_used_is_told_in_one_line(tmp_path: Path) -> None:
    """No address of SQLAlchemy's manual, no password."""
    (tmp_path / "garbage.db").write_bytes(b"not a database" * 100)
    for address, why in (
        (f"sqlite:///{tmp_path}/none/x.db", "unable to open database file"),
        (f"sqlite:///{tmp_path}/garbage.db", "file is not a database"),
        ("postgresql://ada:hush@127.0.0.1:1/x", "refused"),
    ):
        for use in (migrate.upgrade, migrate.current):
            with pytest.raises(ConfigurationError, match=why) as caught:
                use(Settings(home=tmp_path, database_url=address))
            assert "hush" not in str(caught.value)
            assert "sqlalche.me" not in str(caught.value)


def test_a_home_that_cannot_be_made_is_told_by_its_setting(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match=r"^PYNOMALY_HOME, .*/file, cannot be used: File exists\.$"):
        migrate.upgrade(Settings(home=tmp_path / "file"))
