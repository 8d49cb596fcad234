"""Stored files: blobs under the home folder, each put there whole and durably or not at all."""

import os
import re
import shutil
import time
from collections.abc import Collection, Iterator
from pathlib import Path

from pynomaly.errors import NotFound

_KEY = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")


class LocalStorage:
    """Blobs in `home/blobs`, temporary files in `home/tmp` (one file system, so that a rename moves them).

    >>> import tempfile
    >>> storage = LocalStorage(Path(tempfile.mkdtemp()))
    >>> draft = storage.temp(".txt")
    >>> _ = draft.write_text("hello")
    >>> storage.adopt(draft, "notes/1.txt")
    >>> storage.path("notes/1.txt").read_text()
    'hello'
    """

    def __init__(self, home: Path, scratch: Path | None = None) -> None:
        """Use `home`; temporary files go to `scratch` when given (an attempt's own folder)."""
        self.home = home
        self._blobs = home / "blobs"
        self._scratch = scratch or home / "tmp"

    @property
    def scratch(self) -> Path:
        """The folder of the temporary files."""
        return self._scratch

    def for_attempt(self, name: str) -> "LocalStorage":
        """The same blobs, with temporary files in `home/tmp/jobs/<name>`, deleted when the attempt ends."""
        return LocalStorage(self.home, self.attempts / name)

    @property
    def attempts(self) -> Path:
        """The folder that holds one folder of temporary files for each running attempt of a job."""
        return self.home / "tmp" / "jobs"

    def temp(self, suffix: str = "") -> Path:
        """Name a new temporary file (not made yet) that `adopt` can rename into place."""
        self._scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self._scratch / f"{os.urandom(12).hex()}{suffix}"

    def path(self, key: str) -> Path:
        """Where the blob `key` is or would be; ValueError for a key that is not plain path segments."""
        if not _KEY.fullmatch(key):
            raise ValueError(f"{key!r} is not a storage key")
        return self._blobs / key

    def open_path(self, key: str) -> Path:
        """Where the blob `key` is; NotFound when there is none."""
        path = self.path(key)
        if not path.is_file():
            raise NotFound("The stored file is gone.")
        return path

    def adopt(self, temp: Path, key: str) -> None:
        """Move a finished temporary file into place as `key`: it survives a power loss once this returns."""
        target = self.path(key)
        _make_folders(target.parent)
        with temp.open("rb+") as file:
            os.fsync(file.fileno())
        os.utime(temp)  # the age that `sweep` looks at counts from here
        temp.replace(target)
        _sync_folder(target.parent)

    def delete(self, key: str) -> None:
        """Delete the blob `key`, if it is there."""
        self.path(key).unlink(missing_ok=True)

    def sweep(self, keys_in_use: Collection[str], older_than: float) -> list[str]:
        """Delete blobs that are not in `keys_in_use` and are older than that many seconds.

        The age protects a blob whose row is not committed yet. Returns the deleted keys.
        """
        in_use = frozenset(keys_in_use)
        oldest = time.time() - older_than
        gone = []
        for path in sorted(self._blobs.rglob("*")):
            key = path.relative_to(self._blobs).as_posix()
            if key not in in_use and _is_old_file(path, oldest):
                path.unlink(missing_ok=True)
                gone.append(key)
        return gone

    def sweep_temp(self, older_than: float) -> list[Path]:
        """Delete uploads that were never finished: temporary files older than that many seconds."""
        oldest = time.time() - older_than
        old = [path for path in (self.home / "tmp").glob("*") if _is_old_file(path, oldest)]
        for path in old:
            path.unlink(missing_ok=True)
        return old

    def used_bytes(self) -> int:
        """Add up the sizes of all blobs."""
        return sum(_sizes(self._blobs))

    def attempt_names(self) -> set[str]:
        """The names of all attempts that have temporary files."""
        return {path.name for path in self.attempts.glob("*")}

    def clear_scratch(self) -> None:
        """Delete this attempt's folder with all that is in it."""
        if self._scratch.parent == self.attempts:
            shutil.rmtree(self._scratch, ignore_errors=True)


def _sizes(folder: Path) -> Iterator[int]:
    """Give the size of each file under a folder; what vanishes meanwhile is left out."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    yield from _sizes(Path(entry.path))
                else:
                    yield entry.stat(follow_symlinks=False).st_size
    except FileNotFoundError:
        return


def _is_old_file(path: Path, oldest: float) -> bool:
    try:
        return path.is_file() and path.stat().st_mtime <= oldest
    except FileNotFoundError:  # another sweep took it
        return False


def _make_folders(folder: Path) -> None:
    """Make the folder and its parents durably: each new name is synced in the folder that holds it."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(exist_ok=True, mode=0o700)
        _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
