"""What is said of a file that cannot be used."""

import sqlite3
from pathlib import Path

import pytest

from foas_emulator.world.file_errors import file_error

FAILED = "ask again, and look after the disk if it fails again"
FULL = "make room on the disk and ask again; nothing that was acknowledged is lost"


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        (sqlite3.SQLITE_IOERR, FAILED),
        (sqlite3.SQLITE_IOERR_READ, FAILED),
        (sqlite3.SQLITE_IOERR_SHORT_READ, FAILED),
        (sqlite3.SQLITE_IOERR_FSTAT, FAILED),
        (sqlite3.SQLITE_IOERR_WRITE, FULL),
        (sqlite3.SQLITE_IOERR_FSYNC, FULL),
        (sqlite3.SQLITE_IOERR_TRUNCATE, FULL),
        (sqlite3.SQLITE_IOERR_SHMSIZE, FULL),
        (sqlite3.SQLITE_FULL, FULL),
    ],
)
def test_a_disk_that_cannot_be_read_is_not_full(code: int, advice: str) -> None:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = code
    told = file_error(error, Path("alice.db"))
    assert told is not None
    assert told.advice == advice
