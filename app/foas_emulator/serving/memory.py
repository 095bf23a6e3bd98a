"""Memory that is given back to the system as soon as it is free."""

import sys
from contextlib import suppress

_M_MMAP_THRESHOLD = -3
_LARGE = 1024 * 1024


def give_back_large_blocks() -> None:
    """Make GNU's C library return every freed block of over a mebibyte to the system.

    By default it keeps freed blocks of up to 32 MiB for reuse, and a small block behind them keeps them for ever: after
    some sixty worlds were dropped, nearly all of their memory was still in use.
    """
    if sys.platform == "linux":
        with suppress(ImportError, AttributeError, OSError):  # a Python without ctypes, or another library
            import ctypes  # noqa: PLC0415 - other systems do not need it

            ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE)
