"""Large blocks of memory that are used for a moment go back to the system at once."""

import ctypes
from contextlib import suppress

M_MMAP_THRESHOLD = -3
LARGE = 1024 * 1024


def return_large_blocks() -> None:
    """Tell glibc to keep no freed block of 1 MiB or more; other C libraries are left as they are.

    Checking a password takes 19 MiB for 25 ms. By default glibc raises its limit after the first such block
    and keeps the later ones for each thread: 40 MiB of an idle server.
    """
    with suppress(OSError, AttributeError, TypeError):  # not glibc, or no C library to be found
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, LARGE)
