"""The lock on a data directory, which belongs to one process at a time."""

from pathlib import Path
from typing import TYPE_CHECKING

from foas_emulator.world.file_errors import WorldFileError

if TYPE_CHECKING:
    from filelock import BaseFileLock


class DirectoryInUseError(Exception):
    """Another process keeps its worlds in the same directory."""


def lock_directory(directory: Path) -> "BaseFileLock":
    """Create a directory if it is absent, and lock it.

    Raise `DirectoryInUseError` if another process owns it, `WorldFileError` if the lock is not ours, and OSError if it
    cannot be used.
    """
    # Imported here: most servers keep their worlds in memory, and the import takes a twentieth of a start.
    from filelock import FileLock, SoftFileLock, Timeout  # noqa: PLC0415

    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "lock"
    # Releases of filelock before 4.2.5 would empty a file of somebody else. Where the system has no locks, the file is
    # the lock and not empty, and one that exists is never opened.
    if FileLock is not SoftFileLock and path.exists() and (not path.is_file() or path.stat().st_size):
        raise WorldFileError(path, "it is not a file of foas-emulator", "move it away, or give another --data-dir")
    # Shared by threads: a server in a thread acquires the lock in one thread and releases it in another. Only its owner
    # can read it: any user who can read a file can lock it.
    lock = FileLock(path, timeout=0, mode=0o600, thread_local=False)
    try:
        lock.acquire()
    except Timeout:
        raise DirectoryInUseError(
            f"{directory} is in use by another foas-emulator. One process keeps one directory: "
            "stop the other one, or give another --data-dir."
        ) from None
    return lock
