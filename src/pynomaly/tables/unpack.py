"""Compressed files and streams become plain files on disk, never larger than the limit."""

import gzip
import shutil
import sys
import zlib
from pathlib import Path
from typing import BinaryIO, cast

from pynomaly.errors import CorruptFile, TableTooLarge
from pynomaly.tables.limits import Limits
from pynomaly.tables.magic import Compression

CHUNK = 1 << 20
KEPT_FREE = 256 * 1024 * 1024
"""Bytes of disk that are never filled."""


def unpack(path: Path, name: str, target: Path, compression: Compression, limits: Limits) -> Path:
    """Decompress `path` to `target`.

    Raises CorruptFile when it is damaged or cut short, and TableTooLarge as soon as it passes the limit, so a
    decompression bomb costs no more than a file of the largest allowed size.
    """
    failures = (gzip.BadGzipFile, zlib.error, _zstd_error())
    with path.open("rb") as packed, _decoder(packed, compression) as stream:
        try:
            return spool(stream, name, target, limits)
        except EOFError as error:
            raise CorruptFile(
                f"{name} is cut short: its {compression} data ends before its end mark."
            ) from error
        except failures as error:
            raise CorruptFile(
                f"{name} is damaged: its {compression} data cannot be unpacked ({error})."
            ) from error


def packed_head(path: Path, name: str, compression: Compression | None, size: int) -> bytes:
    """Unpack the first `size` bytes of a file (None: it is not compressed); raises CorruptFile."""
    with path.open("rb") as packed:
        if compression is None:
            return packed.read(size)
        try:
            with _decoder(packed, compression) as stream:
                return stream.read(size)
        except (EOFError, gzip.BadGzipFile, zlib.error, _zstd_error()) as error:
            raise CorruptFile(
                f"{name} is damaged: its {compression} data cannot be unpacked ({error})."
            ) from error


def spool(stream: BinaryIO, name: str, target: Path, limits: Limits) -> Path:
    """Write a stream (such as standard input) to `target`; raises TableTooLarge above the limit."""
    room = shutil.disk_usage(target.parent).free - KEPT_FREE
    done = 0
    with target.open("wb") as out:
        while piece := stream.read(CHUNK):
            done += len(piece)
            check_size(done, name, limits)
            if done > room:
                raise TableTooLarge(f"{name} does not fit on the disk: it needs more than {readable(room)}.")
            out.write(piece)
    return target


def check_size(size: int, name: str, limits: Limits) -> None:
    """Raise TableTooLarge when `size` bytes are more than allowed."""
    if size > limits.max_bytes:
        raise TableTooLarge(
            f"{name} is larger than {readable(limits.max_bytes)} uncompressed, which is the limit.",
            limit=limits.max_bytes,
        )


def readable(size: float) -> str:
    """Write a number of bytes for people.

    >>> readable(16 * 2**30)
    '16 GiB'
    """
    for unit in ("bytes", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.4g} {unit}"
        size /= 1024
    return f"{size:.4g} GiB"


def _decoder(packed: BinaryIO, compression: Compression) -> BinaryIO:
    """Open a compressed stream, over all of its members."""
    if compression == "gzip":
        return cast(BinaryIO, gzip.GzipFile(fileobj=packed, mode="rb"))
    if sys.version_info >= (3, 14):
        from compression.zstd import ZstdFile
    else:
        from backports.zstd import ZstdFile
    return cast(BinaryIO, ZstdFile(packed, "rb"))


def _zstd_error() -> type[Exception]:
    """Give the class of zstd's errors."""
    if sys.version_info >= (3, 14):
        from compression.zstd import ZstdError
    else:
        from backports.zstd import ZstdError
    return ZstdError
