"""Compressed files are unpacked within limits; damaged ones are refused."""

import gzip
import io
import os
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pynomaly.errors import CorruptFile, InputError, TableTooLarge, UnknownFormat
from pynomaly.tables import Limits, read
from pynomaly.tables.unpack import readable, unpack

zstd = pytest.importorskip("backports.zstd" if os.sys.version_info < (3, 14) else "compression.zstd")

CSV = b"a,b\n" + b"".join(b"%d,w%d\n" % (i, i % 7) for i in range(5000))
PACK = {"gzip": gzip.compress, "zstd": zstd.compress}
kinds = pytest.mark.parametrize("kind", PACK)


@kinds
def test_reads_what_was_packed(tmp_path, kind):
    path = tmp_path / "table.csv"
    path.write_bytes(PACK[kind](CSV))
    with read(path) as table:
        assert (table.n_rows, table.dialect.compression) == (5000, kind)


@kinds
def test_reads_all_members(tmp_path, kind):
    path = tmp_path / "table.csv"
    path.write_bytes(PACK[kind](CSV) + PACK[kind](b"9,w\n"))
    with read(path) as table:
        assert table.n_rows == 5001


@kinds
@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_cut_short(tmp_path, kind, share):
    packed = PACK[kind](CSV)
    path = tmp_path / "table.csv"
    path.write_bytes(packed[: int(len(packed) * share)])
    with pytest.raises(CorruptFile, match="cut short"):
        read(path)


@kinds
@settings(deadline=None, max_examples=30)
@given(place=st.integers(0, 10**6), bit=st.integers(0, 7))
def test_any_flipped_bit_is_an_error_or_harmless(tmp_path_factory, kind, place, bit):
    packed = bytearray(PACK[kind](CSV))
    packed[place % len(packed)] ^= 1 << bit
    path = tmp_path_factory.mktemp("flipped") / "table.csv"
    path.write_bytes(packed)
    with suppress(InputError), read(path) as table:
        assert table.n_rows <= 5001


@kinds
def test_a_bomb_is_stopped_at_the_limit(tmp_path, kind):
    path = tmp_path / "bomb.csv"
    path.write_bytes(PACK[kind](b"1,2\n" * 10_000_000))
    assert path.stat().st_size < 200_000
    with pytest.raises(TableTooLarge, match="larger than 1 MiB uncompressed"):
        read(path, limits=Limits(max_bytes=2**20))


@kinds
def test_a_bomb_never_takes_more_room_than_the_limit(tmp_path, kind):
    path, target = tmp_path / "bomb", tmp_path / "unpacked"
    path.write_bytes(PACK[kind](b"1,2\n" * 10_000_000))
    with pytest.raises(TableTooLarge):
        unpack(path, "bomb", target, kind, Limits(max_bytes=2**22))
    assert target.stat().st_size <= 2**22


def test_a_plain_file_has_the_same_limit(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(CSV)
    with pytest.raises(TableTooLarge, match="larger than 10 KiB"):
        read(path, limits=Limits(max_bytes=10 * 1024))


def test_a_stream_has_the_same_limit():
    with pytest.raises(TableTooLarge, match="larger than 10 KiB"):
        read(io.BytesIO(CSV), limits=Limits(max_bytes=10 * 1024))


def test_a_full_disk_is_an_error_before_it_is_full(tmp_path, monkeypatch):
    monkeypatch.setattr("pynomaly.tables.unpack.KEPT_FREE", 2**60)
    with pytest.raises(TableTooLarge, match="does not fit on the disk"):
        read(io.BytesIO(CSV))


@pytest.mark.parametrize(
    ("packed", "what"), [(b"BZh91AY", "bzip2"), (b"\xfd7zXZ\x00", "xz"), (b"PK\x03\x04 x", "ZIP")]
)
def test_other_compressions_are_named(tmp_path, packed, what):
    path = tmp_path / "table.csv"
    path.write_bytes(packed)
    with pytest.raises(UnknownFormat, match=what):
        read(path)


@pytest.mark.parametrize(
    ("size", "text"), [(12, "12 bytes"), (10240, "10 KiB"), (16 * 2**30, "16 GiB"), (2**41, "2048 GiB")]
)
def test_sizes_are_readable(size, text):
    assert readable(size) == text
