"""Temporary directories of this process, which are removed even if a signal ends it."""

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from os import getpid
from pathlib import Path
from shutil import rmtree
from tempfile import gettempdir, mkdtemp
from threading import current_thread, main_thread
from weakref import finalize


@contextmanager
def temporary_directory() -> Iterator[Path]:
    """Yield a new directory of this user's alone, which is removed after the block.

    Raise OSError if it cannot be made. A program that still runs may write into it, as Python does that compiles what
    it imports: what cannot be removed then stays, and is no error.
    """
    with ExitStack() as files:
        with _signals_held_back():
            try:
                made = mkdtemp(prefix="foas-emulator-")
            except FileNotFoundError as error:
                if error.filename is None:  # no place of those that were tried can be written
                    raise OSError(error.errno, f"{error.strerror}: TMPDIR may name another") from None
                raise
            files.callback(finalize(files, _remove, made, getpid()))
        yield Path(made)


@contextmanager
def temporary_named() -> Iterator[None]:
    """Add the directory of temporary files to an OSError that names no file, such as that of a full disk.

    The command line would otherwise report it as an error of standard output.
    """
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno is not None:
            raise OSError(error.errno, error.strerror, gettempdir()) from error
        raise


def _remove(directory: str, maker: int) -> None:
    """Remove a directory, but not in a fork that ends before the process that made it."""
    if getpid() == maker:
        with _signals_held_back(), suppress(OSError):  # it ignores no error of closing a directory
            rmtree(directory, ignore_errors=True)


@contextmanager
def _signals_held_back() -> Iterator[None]:
    """Defer handlers of signals until after the block: one that raised inside `tempfile` would leave files behind."""
    if current_thread() is not main_thread():  # Python handles signals in the main thread alone
        yield
        return
    found = {int(number): signal.getsignal(number) for number in signal.valid_signals()}
    handlers = {number: handler for number, handler in found.items() if callable(handler)}
    came: list[int] = []
    with ExitStack() as afterwards:
        afterwards.callback(lambda: [handlers[number](number, None) for number in came])
        for number, handler in handlers.items():
            afterwards.callback(signal.signal, number, handler)
            signal.signal(number, lambda number, _: came.append(number))
        yield
