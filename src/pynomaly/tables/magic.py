"""What a file is, told from its first bytes and never from its name."""

import re
from typing import Literal

from pynomaly.errors import UnknownFormat

Format = Literal["csv", "json", "ndjson", "parquet", "xlsx", "xls"]
Compression = Literal["gzip", "zstd"]

HEAD = 1 << 16
"""Bytes that are looked at."""

_COMPRESSED: dict[bytes, Compression] = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}

_OTHERS = {
    b"%PDF": "a PDF document",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"BZh": "compressed with bzip2 (use gzip or zstd, or unpack it)",
    b"\xfd7zXZ": "compressed with xz (use gzip or zstd, or unpack it)",
    b"7z\xbc\xaf": "a 7-Zip archive (unpack it)",
    b"Rar!": "a RAR archive (unpack it)",
    b"\x04\x22\x4d\x18": "compressed with LZ4 (use gzip or zstd, or unpack it)",
    b"\x7fELF": "a program",
    b"MZ\x90": "a program",
    b"SQLite format 3": "an SQLite database (export the table as CSV or Parquet)",
    b"\x89HDF": "an HDF5 file (export the table as CSV or Parquet)",
    b"ARROW1": "an Arrow or Feather file (save it as Parquet)",
    b"ORC": "an ORC file (save it as Parquet)",
    b"Obj\x01": "an Avro file (save it as Parquet)",
    b"PARE": "an encrypted Parquet file",
    b"\x93NUMPY": "a NumPy array (load it in Python, and pass the array)",
    b"{\\rtf": "an RTF document",
}
_MARKUP = re.compile(rb"\s*<(?:!doctype html|html|head|body|\?xml|!--)", re.IGNORECASE)
_OBJECT = re.compile(rb"(?:\xef\xbb\xbf)?\s*\{\s*[\"}]")
_ARRAY = re.compile(rb"(?:\xef\xbb\xbf)?\s*\[\s*[\[{\]]")


def compression_of(head: bytes) -> Compression | None:
    """Name the compression of a file that begins with `head`; None when it has none."""
    return next((name for mark, name in _COMPRESSED.items() if head.startswith(mark)), None)


def format_of(head: bytes, name: str) -> Format:
    """Name the format of an uncompressed file that begins with `head`; `name` is for messages.

    Raises UnknownFormat for files that are known to be something else. Whatever is not known to be anything
    is taken for CSV, whose reader refuses what is not text.
    """
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"PK\x03\x04"):
        return _zip(head, name)
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return "xls"
    for mark, what in _OTHERS.items():
        if head.startswith(mark):
            raise UnknownFormat(f"{name} is {what}. Give a CSV, JSON, Parquet or Excel file.")
    if _MARKUP.match(head):
        raise UnknownFormat(
            f"{name} is a web page or XML, not a table. Was a log-in page saved instead of the file?"
        )
    if _OBJECT.match(head):
        return "ndjson"
    if _ARRAY.match(head) or (
        name.lower().endswith(".json") and head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"["
    ):
        return "json"
    return "csv"


def _zip(head: bytes, name: str) -> Format:
    """Tell an Excel workbook from other archives."""
    if b"[Content_Types].xml" in head or b"xl/" in head or b"_rels/" in head:
        return "xlsx"
    raise UnknownFormat(
        f"{name} is a ZIP archive: unpack it, and give the table inside (or use gzip or zstd)."
    )
