"""Watch seed documents on disk for changes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from foas_emulator.seeds.reading import SeedError, seed_files
from foas_emulator.world.shortage import in_thread

LOOK_EVERY = 0.5
"""Seconds between two checks of the files. Polling works on every file system and needs no library."""

Marks = dict[str, tuple[int, int] | None]


@asynccontextmanager
async def watching(sources: Sequence[str], changed: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Call `changed` after every change of the files of these sources, inside the block."""
    task = asyncio.create_task(_watch(sources, changed))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _watch(sources: Sequence[str], changed: Callable[[], Awaitable[None]]) -> None:
    before = await in_thread(marks, sources)
    while True:
        await asyncio.sleep(LOOK_EVERY)
        now = await in_thread(marks, sources)
        if now != before:
            before = now
            await changed()


def marks(sources: Sequence[str]) -> Marks:
    """Return a mark that changes with each file: its time of modification and its size, None if it is absent."""
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
