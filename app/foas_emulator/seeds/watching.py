"""Watch seed documents on disk for changes."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from foas_emulator.seeds.errors import SeedError
from foas_emulator.seeds.reading import seed_files
from foas_emulator.world.shortage import refused_by_system
from foas_emulator.world.threads import in_thread

LOOK_EVERY = 0.5
"""Seconds between two checks of the files. Polling works on every file system and needs no library."""

log = logging.getLogger(__name__)

Marks = dict[str, tuple[int, int] | None]


@asynccontextmanager
async def watching(
    sources: Sequence[str], changed: Callable[[], Awaitable[None]], *, since: Marks | None
) -> AsyncIterator[None]:
    """Call `changed` inside the block after every change of the files of these sources.

    The first is one since these marks, or since the first look if there are none.
    """
    task = asyncio.create_task(_watch(sources, changed, since))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _watch(sources: Sequence[str], changed: Callable[[], Awaitable[None]], before: Marks | None) -> None:
    trouble = ""
    while True:
        try:
            now = await in_thread(marks, sources)
            if before is not None and now != before:
                await in_thread(_require_readable, now)
                await changed()
            before, trouble = now, ""
        except Exception as error:
            reason = str(error) if isinstance(error, OSError) else refused_by_system(error)
            if reason is None:
                raise
            if reason != trouble:
                log.warning("the seeds cannot be used for now; everything stays as it is: %s", reason)
            trouble = reason
        await asyncio.sleep(LOOK_EVERY)


def marks(sources: Sequence[str]) -> Marks:
    """Return a mark that changes with each file: its time of modification and its size, None if it is absent.

    Raise OSError if a file cannot be looked at, which is no change of it.
    """
    found: Marks = {}
    for source in sources:
        with suppress(SeedError):
            found |= {file: _mark(Path(file)) for file in seed_files(source)}
    return found


def _require_readable(found: Marks) -> None:
    """Raise OSError if a file cannot be read for now, as while another program writes it: it is looked at again.

    A pipe gives what it has only once, and may make its reader wait.
    """
    for file in [Path(name) for name, mark in found.items() if mark is not None]:
        if file.is_file():
            with file.open("rb") as opened:
                opened.read(1)


def _mark(file: Path) -> tuple[int, int] | None:
    try:
        status = file.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return status.st_mtime_ns, status.st_size
