"""A staged image: written outside the event loop, so that a world only has to take it over."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from foas_emulator.world.store import Store


@dataclass
class StagedImage:
    """A database in memory, or files, that hold an image already; neither if nothing was staged."""

    store: Store | None = None
    files: Sequence[Path] = ()
    postponed_by: int = 0
    """The milliseconds by which the pending changes of a template were postponed in it; see `World.postponed_by`."""

    def take_store(self) -> Store | None:
        """Return the database, which belongs to the caller from now on."""
        store, self.store = self.store, None
        return store

    def discard(self) -> None:
        """Remove what no world has taken. A file that cannot be removed goes at the end, or at the next start."""
        if self.store is not None:
            self.store.close()
        for file in self.files:
            with suppress(OSError):
                file.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Renewal:
    """The replacement of a world that was made from the previous default image."""

    name: str
    replace: Callable[[StagedImage], bool]
    """Replace the world unless it has begun anew since; return whether it was. The new image may be staged."""
    is_due: Callable[[], bool]
    """Whether the world was made from that image, which may take reading a file. Any thread may call this."""


NOTHING_STAGED = StagedImage()
