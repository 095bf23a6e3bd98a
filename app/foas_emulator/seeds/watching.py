"""Noticing that seed documents have changed on disk."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from foas_emulator.seeds.reading import SeedError, seed_files

LOOK_EVERY = 0.5
"""Seconds between two looks at the files. Looking works on every file system, and needs no library."""

Marks = dict[str, tuple[int, int] | None]


@asynccontextmanager
async def watching(sources: Sequence[str], changed: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Call `changed` after every change of the files that these sources mean, while this is entered."""
    task = asyncio.create_task(_watch(sources, changed))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _watch(sources: Sequence[str], changed: Callable[[], Awaitable[None]]) -> None:
    before = await asyncio.to_thread(marks, sources)
    while True:
        await asyncio.sleep(LOOK_EVERY)
        now = await asyncio.to_thread(marks, sources)
        if now != before:
            before = now
            await changed()


def marks(sources: Sequence[str]) -> Marks:
    """What tells a file that was changed: when it was written and how long it is, None while it is not there."""
    found: Marks = {}
    for source in sources:
        with suppress(SeedError, OSError):
            found |= {file: _mark(Path(file)) for file in seed_files(source)}
    return found


def _mark(file: Path) -> tuple[int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
