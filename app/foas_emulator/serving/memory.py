"""Memory that is given back to the system as soon as it is free."""

import sys
from contextlib import suppress

_M_MMAP_THRESHOLD = -3
_LARGE = 1024 * 1024


def give_back_large_blocks() -> None:
    """Let the C library give back every block of over a mebibyte once it is freed, if it is that of GNU.

    It keeps those of up to 32 MiB after the first of their size was freed, and whatever is left in between keeps them
    for ever: of some sixty worlds that had been dropped, nearly all memory was still taken.
    """
    if sys.platform == "linux":
        with suppress(ImportError, AttributeError, OSError):  # a Python without ctypes, or another library
            import ctypes  # noqa: PLC0415 - other systems do not need it

            ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE)
