"""The messages about files that cannot be used."""

import errno
import os
import sqlite3
from pathlib import Path
from typing import cast

import pytest

from foas_emulator.world.file_errors import DAMAGED, LOCKED, WorldFileError, file_error, naming
from foas_emulator.world.soundness import found_by_check

FAILED = "ask again, and look after the disk if it fails again"
FULL = "make room on the disk and ask again; nothing that was acknowledged is lost"
EITHER = FULL.replace("disk and", "disk, or look after it if there is room, and")


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        (sqlite3.SQLITE_IOERR, FAILED),
        (sqlite3.SQLITE_IOERR_READ, FAILED),
        (sqlite3.SQLITE_IOERR_SHORT_READ, FAILED),
        (sqlite3.SQLITE_IOERR_FSTAT, FAILED),
        (sqlite3.SQLITE_IOERR_WRITE, EITHER),
        (sqlite3.SQLITE_IOERR_FSYNC, EITHER),
        (sqlite3.SQLITE_IOERR_TRUNCATE, EITHER),
        (sqlite3.SQLITE_IOERR_SHMSIZE, EITHER),
        (sqlite3.SQLITE_FULL, FULL),
    ],
)
def test_a_disk_that_cannot_be_read_is_not_full(code: int, advice: str) -> None:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = code
    told = file_error(error, Path("alice.db"))
    assert told is not None
    assert told.advice == advice
    assert told.is_full == (advice == FULL)


class Checked:
    """A connection to a database of which the system reads one page of many with an error."""

    def __init__(self, code: int | None) -> None:
        unread = "failed to get page 8" if code is None else f"unable to get the page. error code={code}"
        self._found = f"On tree page 7 cell 0: {unread}"

    def execute(self, _: str) -> "Checked":
        return self

    def fetchone(self) -> tuple[str]:
        return (self._found,)


@pytest.mark.parametrize("code", [sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_CORRUPTFS, None])
def test_a_page_that_the_disk_fails_to_read_is_not_damaged(code: int | None) -> None:
    """What is advised for damage loses the world."""
    with pytest.raises(WorldFileError, match=FAILED), naming(Path("alice.db")):
        found_by_check(cast(sqlite3.Connection, Checked(code)))


def test_a_page_for_which_there_is_no_memory_is_not_damaged() -> None:
    with pytest.raises(MemoryError):
        found_by_check(cast(sqlite3.Connection, Checked(sqlite3.SQLITE_NOMEM)))


def test_a_page_that_cannot_be_is_damaged() -> None:
    found = found_by_check(cast(sqlite3.Connection, Checked(sqlite3.SQLITE_CORRUPT)))
    assert found == "it is damaged (On tree page 7 cell 0: unable to get the page. error code=11)"


@pytest.mark.parametrize("system", ["posix", "nt"])
def test_a_file_that_may_not_be_read_is_not_lost(system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reset would take the default seed for what the world was created from, and remove that.

    On Windows another program may have the file open.
    """
    path = Path("alice.origin")
    with monkeypatch.context() as patch:
        patch.setattr(os, "name", system)
        with pytest.raises(WorldFileError) as told, naming(path):
            raise PermissionError(errno.EACCES, "Permission denied")
        assert told.value.may_pass
        assert (told.value.advice == LOCKED) is (system == "nt")


@pytest.mark.parametrize(("place", "advice"), [("", DAMAGED), ("gone", "let the user of the emulator")])
def test_a_file_that_is_gone_is_lost(place: str, advice: str, tmp_path: Path) -> None:
    with pytest.raises(WorldFileError, match=advice) as told, naming(tmp_path / place / "alice.origin"):
        raise FileNotFoundError(errno.ENOENT, "No such file or directory")
    assert not told.value.may_pass
