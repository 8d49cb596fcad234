"""Messages over a stream socket: length and number in front, so that many may be under way at once."""

import socket
import struct
from collections.abc import Iterator
from typing import BinaryIO

HEADER = struct.Struct("!IQ")


def packed(number: int, body: bytes) -> bytes:
    """Put length and number before a body.

    >>> packed(7, b"hello")[:12].hex()
    '000000050000000000000007'
    """
    return HEADER.pack(len(body), number) + body


def received(connection: socket.socket) -> Iterator[tuple[int, bytes]]:
    """Give each message's number and body until the other side is gone, however it went."""
    with connection.makefile("rb") as stream:
        while len(head := _read(stream, HEADER.size)) == HEADER.size:
            length, number = HEADER.unpack(head)
            body = _read(stream, length)
            if len(body) < length:
                return
            yield number, body


def _read(stream: BinaryIO, size: int) -> bytes:
    try:
        return stream.read(size)
    except (ConnectionResetError, BrokenPipeError):
        return b""
