"""Stored files: whole or absent, no way out of the folder, swept when nobody needs them."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pynomaly.errors import NotFound
from pynomaly.server.storage import LocalStorage


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    """An empty store."""
    return LocalStorage(tmp_path / "home")


def put(storage: LocalStorage, key: str, text: str = "x") -> Path:
    temp = storage.temp(".txt")
    temp.write_text(text)
    storage.adopt(temp, key)
    return temp


def make_old(path: Path) -> None:
    os.utime(path, (0, 0))


def test_adopt_moves_the_file(storage: LocalStorage) -> None:
    temp = put(storage, "results/a/1.parquet", "rows")
    assert not temp.exists()
    assert storage.open_path("results/a/1.parquet").read_text() == "rows"


def test_adopt_replaces(storage: LocalStorage) -> None:
    put(storage, "k", "old")
    put(storage, "k", "new")
    assert storage.open_path("k").read_text() == "new"


def test_temporary_files_have_names_of_their_own(storage: LocalStorage) -> None:
    assert storage.temp() != storage.temp()
    assert storage.temp(".csv").suffix == ".csv"


def test_missing_blob_is_not_found(storage: LocalStorage) -> None:
    with pytest.raises(NotFound):
        storage.open_path("nothing")
    storage.delete("nothing")


def test_delete(storage: LocalStorage) -> None:
    put(storage, "k")
    storage.delete("k")
    assert not storage.path("k").exists()


@pytest.mark.parametrize(
    "key",
    ["", "/etc/passwd", "../x", "a/../../x", "a//b", "a/", ".hidden", "a/.b", "a\\b", "a\0", "a\n", "ä"],
)
def test_key_stays_in_its_folder(storage: LocalStorage, key: str) -> None:
    with pytest.raises(ValueError, match="storage key"):
        storage.path(key)


@given(st.text())
def test_any_key_that_is_taken_is_inside(key: str) -> None:
    storage = LocalStorage(Path("/home-of-storage"))
    try:
        path = storage.path(key)
    except ValueError:
        return
    assert Path(os.path.normpath(path)) == path
    assert path.is_relative_to("/home-of-storage/blobs")


def test_sweep_takes_old_files_without_row(storage: LocalStorage) -> None:
    for key in ("datasets/used", "datasets/orphan", "datasets/fresh"):
        put(storage, key)
    make_old(storage.path("datasets/used"))
    make_old(storage.path("datasets/orphan"))
    assert storage.sweep({"datasets/used"}, older_than=60) == ["datasets/orphan"]
    assert not storage.path("datasets/orphan").exists()
    assert storage.path("datasets/used").exists()
    assert storage.path("datasets/fresh").exists()


def test_age_counts_from_adoption(storage: LocalStorage) -> None:
    temp = storage.temp()
    temp.write_text("long in the making")
    make_old(temp)
    storage.adopt(temp, "k")
    assert storage.sweep(set(), older_than=60) == []


def test_sweep_takes_unfinished_uploads_only(storage: LocalStorage) -> None:
    old, new = storage.temp(), storage.temp()
    attempt = storage.for_attempt("job.1").temp()
    for path in (old, new, attempt):
        path.write_text("x")
    make_old(old)
    make_old(attempt)
    assert storage.sweep_temp(older_than=60) == [old]
    assert new.exists()
    assert attempt.exists()


def test_attempt_has_a_folder_of_its_own(storage: LocalStorage) -> None:
    attempt = storage.for_attempt("job.1")
    temp = attempt.temp()
    temp.write_text("x")
    assert storage.attempt_names() == {"job.1"}
    put(attempt, "k")
    attempt.clear_scratch()
    assert not temp.exists()
    assert storage.attempt_names() == set()
    assert storage.open_path("k").exists()


def test_folder_of_all_temporary_files_is_never_cleared(storage: LocalStorage) -> None:
    temp = storage.temp()
    temp.write_text("x")
    storage.clear_scratch()
    assert temp.exists()


def test_file_that_goes_while_swept(storage: LocalStorage) -> None:
    link = storage.path("gone")
    link.parent.mkdir(parents=True)
    link.symlink_to("nowhere")
    assert storage.sweep(set(), older_than=0) == []
