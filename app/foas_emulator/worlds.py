"""The worlds of a server as its settings describe them."""

import logging
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, ExitStack, suppress
from pathlib import Path
from typing import Any

from foas_emulator.control.off_loop import UNKNOWN, off_loop
from foas_emulator.operations.catalogue import HANDLERS
from foas_emulator.seeds.errors import SeedError
from foas_emulator.seeds.image import image_for, image_of
from foas_emulator.seeds.names import BUILT_IN
from foas_emulator.seeds.reading import read_seeds
from foas_emulator.seeds.watching import Marks, marks, watching
from foas_emulator.serving.descriptors import world_files_at_once
from foas_emulator.setting_files import error_overrides
from foas_emulator.settings import SettingError, Settings
from foas_emulator.world.connections import Connections
from foas_emulator.world.directory_lock import DirectoryInUseError
from foas_emulator.world.file_errors import DAMAGED, WorldFileError
from foas_emulator.world.file_registry import FileRegistry
from foas_emulator.world.memory_registry import MemoryRegistry
from foas_emulator.world.names import DEFAULT
from foas_emulator.world.registry import Registry, RegistryOptions
from foas_emulator.world.settings import WorldSettings
from foas_emulator.world.store import StoppedError, Store

log = logging.getLogger(__name__)

_MOST_NAMED = 5
"""The most worlds that one line of the log names."""


def open_registry(settings: Settings) -> Registry:
    """Return a server's worlds with the default one open, so that an invalid seed or file is reported at once."""
    connections = Connections()
    defaults = _world_defaults(settings)
    image = image_of(read_seeds(settings.seed), connections=connections, handlers=HANDLERS, defaults=defaults)
    try:
        with ExitStack() as if_refused:
            options = RegistryOptions(
                image=image,
                handlers=HANDLERS,
                connections=connections,
                defaults=defaults,
                max_worlds=settings.max_worlds,
                idle=settings.world_idle,
                image_bytes=settings.image_bytes,
                world_bytes=settings.world_bytes,
                check=_check,
            )
            registry: Registry = (
                MemoryRegistry(options)
                if settings.data_dir is None
                else FileRegistry(settings.data_dir, options, max_files=world_files_at_once())
            )
            if_refused.callback(registry.close)
            existing = registry.names()
            registry.open_or_create(DEFAULT)
            if_refused.pop_all()
    except (OSError, DirectoryInUseError, WorldFileError) as error:
        if settings.data_dir is None:
            raise
        raise SettingError("data_dir", _why_unusable(settings.data_dir, error)) from error
    if existing and settings.seed != Settings().seed:
        message = "seed: it only concerns new worlds; those that %s holds already stay as they are: %s"
        log.info(message, settings.data_dir, _some(existing))
    return registry


def _check(store: Store) -> None:
    """Raise ValueError for a database whose rows cannot be used."""
    from foas_emulator.seeds.values import check_values  # noqa: PLC0415 - worlds in memory need none of it

    check_values(store)


def _some(names: Sequence[str]) -> str:
    """Return the first names and the number of others, as a text."""
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _why_unusable(directory: Path, error: Exception) -> str:
    """Return a sentence that says why worlds cannot be kept in a directory and names it or the file in it."""
    if isinstance(error, OSError):
        reason = "it is not a directory" if isinstance(error, FileExistsError) else error.strerror or error
        is_of_directory = error.filename in (None, str(directory), str(directory.absolute()))
        return f"worlds cannot be kept in {directory}: {'' if is_of_directory else f'{error.filename}: '}{reason}"
    if isinstance(error, WorldFileError) and error.advice == DAMAGED:
        advice = "move it away, and the world starts over, put a copy of it back, or give another directory"
        return f"{error.path} cannot be used: {error.reason}; {advice}"
    return str(error)


def watched_seeds(settings: Settings) -> Marks | None:
    """Return the marks of the watched seeds, to be taken before these are read; None if a file cannot be examined."""
    with suppress(OSError):
        return marks(_seeds_in_files(settings)) if settings.watch else None
    return None


def _seeds_in_files(settings: Settings) -> list[str]:
    return [source for source in settings.seed if source not in BUILT_IN]


def watch_seeds(
    settings: Settings, registry: Registry, *, since: Marks | None = None
) -> AbstractAsyncContextManager[None]:
    """Read the seeds again inside the block whenever one of their files changes, or has changed since these marks.

    Worlds that were made from them are made again. Seeds that are not valid are logged and change nothing; a file that
    cannot be read is tried again. Raise `SettingError` if there is no file to watch.
    """
    from foas_emulator.control.resetting import start_over  # noqa: PLC0415 - most servers watch nothing

    files = _seeds_in_files(settings)
    if not files:
        raise SettingError("watch", "there is no file to watch: give --seed a file or a directory")

    async def read_again() -> None:
        if _has_pipe(files):
            log.warning("a seed has become a pipe, which may never yield anything; everything stays as it is")
            return
        try:
            image = await off_loop(UNKNOWN, lambda: image_for(registry, read_seeds(settings.seed)))
        except SeedError as error:
            log.warning("the seeds have changed and cannot be used; everything stays as it is: %s", error)
        else:
            with suppress(StoppedError):  # the server stops meanwhile
                names = await start_over(registry, image)
                log.info("the seeds have changed; worlds that start over: %s", ", ".join(names) or "none")

    return watching(files, read_again, since=since)


def _has_pipe(files: Sequence[str]) -> bool:
    return any(Path(file).is_fifo() for file in files)


def _world_defaults(settings: Settings) -> WorldSettings:
    names = WorldSettings.__dataclass_fields__.keys() & Settings.__dataclass_fields__.keys()
    given: dict[str, Any] = {name: getattr(settings, name) for name in names - {"error_overrides"}}
    return WorldSettings(**given, error_overrides=error_overrides(settings.error_overrides))
