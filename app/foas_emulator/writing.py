"""Read and write files: every error names its file, and a full disk leaves the previous content intact."""

import errno
import os
import stat
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import get_ident
from typing import TextIO

_OF_THE_DISK = {getattr(errno, name, None) for name in ("EDQUOT", "EIO", "ENOSPC", "EROFS", "ESTALE")}
"""Errors of a disk that accepts no data; writing into the previous file would lose that one, too."""
_DEVICES = ("/dev/", "/proc/")
"""Where a path may lead to a file that this process, or another one, has open."""


def read_file(file: Path) -> bytes:
    """Return the content of a file. Raise OSError, with the file's name, if it cannot be read."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(file)) from None


def write_file(file: Path, content: bytes) -> None:
    """Write a file, whole or not at all. Raise OSError, with the file's name, if it cannot be written."""
    try:
        if not _write_beside(file, content):
            file.write_bytes(content)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(file)) from None


def _write_beside(file: Path, content: bytes) -> bool:
    """Write another file, and replace the old one by it; return False if the old one must be written in place.

    That is so for a pipe, a device, a file with a second name or another owner, and in a directory that takes no
    further file.
    """
    older = _status(file)
    if older is not None and not _is_replaceable(file, older):
        return False
    target = Path(os.path.realpath(file))  # where a link leads, and not the link
    beside = target.with_name(f".foas-emulator-{os.getpid()}-{get_ident()}.tmp")
    try:
        # From its first byte on, nobody may read it who may not read the older one.
        mode = 0o666 if older is None else older.st_mode & 0o777
        stream = open(beside, "xb", opener=partial(os.open, mode=mode))  # noqa: SIM115 - Path.open has no opener
    except (FileExistsError, PermissionError):
        return False
    try:
        with stream:
            made = os.fstat(stream.fileno())
            if older is not None and (older.st_uid, older.st_gid) != (made.st_uid, made.st_gid):
                return False
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        if older is not None:
            beside.chmod(stat.S_IMODE(older.st_mode))
        return _takes_the_place(beside, target)
    finally:
        with suppress(FileNotFoundError):
            beside.unlink()


def _status(file: Path) -> os.stat_result | None:
    try:
        return file.stat()
    except FileNotFoundError:
        return None


def _is_replaceable(file: Path, older: os.stat_result) -> bool:
    if not stat.S_ISREG(older.st_mode) or older.st_nlink > 1 or not os.access(file, os.W_OK):
        return False
    is_output = any(_is_open_as(stream, older) for stream in (sys.__stdout__, sys.__stderr__))
    return not is_output and not str(file.absolute()).startswith(_DEVICES)


def _is_open_as(stream: TextIO | None, older: os.stat_result) -> bool:
    try:
        return stream is not None and os.path.samestat(os.fstat(stream.fileno()), older)
    except (OSError, ValueError):  # it is closed
        return False


def _takes_the_place(beside: Path, target: Path) -> bool:
    try:
        beside.replace(target)
    except OSError as error:
        if error.errno in _OF_THE_DISK:
            raise
        return False  # the name is a mount point, or somebody has the file open on Windows
    return True
