"""Write files so that every error names the file: the system's does not if the disk is full."""

from pathlib import Path


def write_file(file: Path, content: bytes) -> None:
    """Write a file. Raise OSError, with the file's name, if it cannot be written."""
    try:
        file.write_bytes(content)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(file)) from None
