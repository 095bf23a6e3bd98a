"""What the system may refuse to any process: memory, threads and descriptors."""

import errno


def refused_by_system(error: BaseException) -> str | None:
    """Return what the system refused, and what to do about it; None if an error has another cause."""
    if isinstance(error, MemoryError):
        return "The system gives the emulator no more memory: ask again, or let it have more."
    if isinstance(error, RuntimeError) and str(error).startswith("can't start new thread"):
        return "The system gives the emulator no further thread: ask again, or let it have more (ulimit -u, pids.max)."
    if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
        return "The system lets the emulator open no further file: ask again, or allow more of them (ulimit -n)."
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return refused_by_system(MemoryError())
    return None
