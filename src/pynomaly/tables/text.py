"""A text file's bytes become clean UTF-8: encoding, NUL bytes, lines without end."""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pynomaly.errors import CorruptFile, TableTooLarge, UnknownFormat

CHUNK = 1 << 20
LONGEST_LINE = 2_000_000
"""Bytes that one line may have: DuckDB's CSV reader drops much longer ones without a word."""
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte order marks; UTF-32 first, since its little-endian mark begins with that of UTF-16."""


@dataclass(frozen=True, slots=True)
class Text:
    """A UTF-8 file to read, and the encoding that its source was in."""

    path: Path
    encoding: str


def to_utf8(
    path: Path,
    name: str,
    folder: Path,
    *,
    longest_line: int | None = LONGEST_LINE,
    encoding: str | None = None,
) -> Text:
    """Give a UTF-8 version of the text at `path`: itself when it is UTF-8, a new file in `folder` otherwise.

    `encoding` is the one to read it in; None: the one that it is found to be in.

    Raises CorruptFile (NUL bytes, a damaged encoding), UnknownFormat (binary) or TableTooLarge (an endless
    line).
    """
    with path.open("rb") as stream:
        head = stream.read(1 << 16)
    if encoding is not None:
        return _chosen(path, name, folder, encoding, longest_line)
    encoding = next((encoding for mark, encoding in MARKS if head.startswith(mark)), _unmarked(head))
    if encoding.startswith(("utf-16", "utf-32")):
        path = transcode(path, name, folder / "text", encoding)
        _check(path, name, longest_line)
        return Text(path, encoding)
    _refuse_binary(head, name)
    if _check(path, name, longest_line):
        return Text(path, encoding)
    legacy = _legacy(path)
    return Text(path if legacy is None else transcode(path, name, folder / "text", legacy), legacy or "utf-8")


def _chosen(path: Path, name: str, folder: Path, encoding: str, longest_line: int | None) -> Text:
    """Read it as somebody says; cells that are no UTF-8 when it should be are rejected later, one by one."""
    if codecs.lookup(encoding).name != "utf-8":
        path = transcode(path, name, folder / "text", encoding)
    _check(path, name, longest_line)
    return Text(path, encoding)


def chunks(stream: BinaryIO) -> Iterator[bytes]:
    """Read a stream to its end, a mebibyte at a time."""
    while chunk := stream.read(CHUNK):
        yield chunk


def transcode(path: Path, name: str, target: Path, encoding: str) -> Path:
    """Write `path`, which is in `encoding`, to `target` as UTF-8 without a byte order mark."""
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as source, target.open("wb") as out:
        done = 0
        try:
            for chunk in chunks(source):
                out.write(decoder.decode(chunk).encode())
                done += len(chunk)
            out.write(decoder.decode(b"", final=True).encode())
        except UnicodeError as error:
            raise CorruptFile(
                f"{name} is not valid {encoding.upper()} after byte {done}.", byte=done
            ) from error
    return target


def _unmarked(head: bytes) -> str:
    """Guess the encoding of text without a mark: ASCII as UTF-16 has a NUL in every second byte."""
    pairs = len(head) // 2
    if pairs >= 2:
        if head[1 : 2 * pairs : 2].count(0) > 0.7 * pairs and head[0 : 2 * pairs : 2].count(0) < 0.1 * pairs:
            return "utf-16-le"
        if head[0 : 2 * pairs : 2].count(0) > 0.7 * pairs and head[1 : 2 * pairs : 2].count(0) < 0.1 * pairs:
            return "utf-16-be"
    return "utf-8"


def _refuse_binary(head: bytes, name: str) -> None:
    """Raise UnknownFormat when more than 1 % of the first bytes are control characters."""
    controls = sum(head.count(bytes([byte])) for byte in range(32) if byte not in (0, 9, 10, 12, 13))
    if controls > max(1, len(head) // 100):
        raise UnknownFormat(
            f"{name} is not text: it holds binary data. Give a CSV, JSON, Parquet or Excel file."
        )


def _check(path: Path, name: str, longest_line: int | None) -> bool:
    """Look through the whole file: refuse NUL bytes and endless lines, and say whether it is valid UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    valid, done, line_start = True, 0, 0
    with path.open("rb") as stream:
        for chunk in chunks(stream):
            if (nul := chunk.find(0)) >= 0:
                _refuse_nul(path, name, done + nul)
            if longest_line:
                line_start = _line_start(path, name, chunk, done, line_start)
            done += len(chunk)
            if valid and not (chunk.isascii() and not decoder.getstate()[0]):
                valid = _decodes(decoder, chunk)
    return valid and not decoder.getstate()[0]


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes) -> bool:
    """Say whether the next bytes are valid."""
    try:
        decoder.decode(chunk)
    except UnicodeError:
        return False
    return True


def _line_start(path: Path, name: str, chunk: bytes, done: int, line_start: int) -> int:
    """Find where the line that leaves this chunk began; raise TableTooLarge when a line has no end.

    Chunks are shorter than the longest line, so only lines that cross chunks need a look.
    """
    first = min((at for at in (chunk.find(b"\n"), chunk.find(b"\r")) if at >= 0), default=len(chunk))
    if done + first - line_start > LONGEST_LINE:
        raise TableTooLarge(
            f"Line {line_at(path, line_start)} of {name} is longer than {LONGEST_LINE:,} bytes. "
            "Shorten its cells, or leave that column out.",
            line=line_at(path, line_start),
        )
    last = max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))
    return line_start if last < 0 else done + last + 1


def _refuse_nul(path: Path, name: str, byte: int) -> None:
    """Raise CorruptFile with the place of a NUL byte."""
    line = line_at(path, byte)
    raise CorruptFile(
        f"{name} holds a NUL byte in line {line} (byte {byte}): it is binary, damaged, or in an encoding "
        "that is not known.",
        line=line,
        byte=byte,
    )


def line_at(path: Path, byte: int) -> int:
    """Tell the line (from 1) that holds the byte at 0-based offset `byte`."""
    return lines_at(path, [byte])[0]


def lines_at(path: Path, offsets: list[int]) -> list[int]:
    """Tell the lines (from 1) that hold the bytes at ascending 0-based `offsets`, in one pass."""
    lines: list[int] = []
    line, done, carriage = 1, 0, False
    with path.open("rb") as stream:
        for chunk in chunks(stream):
            while len(lines) < len(offsets) and offsets[len(lines)] <= done + len(chunk):
                piece, chunk = chunk[: offsets[len(lines)] - done], chunk[offsets[len(lines)] - done :]
                line += _ends(piece, carriage)
                carriage = piece.endswith(b"\r") if piece else carriage
                done += len(piece)
                lines.append(line)
            if len(lines) == len(offsets):
                break
            line += _ends(chunk, carriage)
            carriage, done = chunk.endswith(b"\r"), done + len(chunk)
    return lines + [line] * (len(offsets) - len(lines))


def _ends(piece: bytes, carriage: bool) -> int:
    r"""Count line ends (\n, \r\n or \r); `carriage`: the piece follows a \r, whose \n is no second end."""
    ends = piece.count(b"\n") + piece.count(b"\r") - piece.count(b"\r\n")
    return ends - (carriage and piece.startswith(b"\n"))


def _legacy(path: Path) -> str | None:
    """Name the single-byte encoding of a file that is not UTF-8; None when it is UTF-8 with some damage."""
    damaged = other = 0
    high: set[int] = set()
    with path.open("rb") as stream:
        for chunk in chunks(stream):
            if not chunk.isascii():
                text = chunk.decode(errors="replace")
                broken = text.count("\ufffd")
                damaged += broken
                other += sum(1 for letter in text if letter > "\x7f") - broken
                high.update(byte for byte in set(chunk) if 0x80 <= byte < 0xA0)
    if damaged < 0.1 * other:
        return None
    undefined = {0x81, 0x8D, 0x8F, 0x90, 0x9D}
    return "windows-1252" if high and not high & undefined else "latin-1"
