"""Worlds in memory: they end with the process, or when they are idle for too long."""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from operator import eq

from foas_emulator.world.clock import stopwatch
from foas_emulator.world.expiry import EXPIRE_AT_ONCE
from foas_emulator.world.file_errors import WorldFileError
from foas_emulator.world.images import KeptImage
from foas_emulator.world.registry import Registry, RegistryOptions
from foas_emulator.world.staging import NOTHING_STAGED, Renewal, StagedImage
from foas_emulator.world.store import Store
from foas_emulator.world.world import World

log = logging.getLogger(__name__)


class MemoryRegistry(Registry):
    """The worlds of a process that keeps all of them in memory; a world that expires is dropped."""

    def __init__(self, options: RegistryOptions) -> None:
        super().__init__(options, expire_at_once=EXPIRE_AT_ONCE)
        self._origins: dict[str, KeptImage] = {}
        """The origins of the worlds that were not created from the default image."""
        self._prepared: Store | None = None

    @property
    def _existing(self) -> Collection[str]:
        return self._worlds

    def origin(self, name: str) -> bytes:
        origin = self._origins.get(name)
        return self.image if origin is None else origin.content

    def origin_size(self, name: str) -> int:
        return len(self.origin(name)) if name in self._worlds else 0

    def origin_stamp(self, name: str) -> object:
        return self.origin(name) if name in self._worlds else None

    def stage(self, image: bytes, *, origin: bytes | None) -> StagedImage:  # noqa: ARG002 - files
        return StagedImage(store=Store(self.connections, image=image))

    @contextmanager
    def _with_origin(self, name: str, image: bytes) -> Iterator[None]:
        """Let a world reset to an image from the block on, or as before if that raises anything."""
        before = self._origins.pop(name, None)
        try:
            if image is not self.image:
                self._origins[name] = self.images.keep(image, instead_of=before)
            yield
        except BaseException:
            self._origins.pop(name, None)
            if before is not None:
                self._origins[name] = before
            raise

    def _open(self, name: str, store: Store | None = None, *, check: Callable[[Store], None] | None = None) -> World:
        world = super()._open(name, store, check=check)
        world.store.count_in(self.databases)
        return world

    def _create(self, name: str, image: bytes, staged: StagedImage = NOTHING_STAGED) -> World:
        self._make_room()
        self.databases.require(len(image))
        with self._with_origin(name, image):
            world = self._open(name, staged.take_store())
        with suppress(RuntimeError):  # without an event loop
            asyncio.get_running_loop().call_soon(self.prewarm)
        return world

    def _store(self, name: str) -> Store:
        if self._prepared is None or name in self._origins:
            return Store(self.connections, image=self.origin(name))
        store, self._prepared = self._prepared, None
        return store

    def prewarm(self) -> None:
        """Prepare the database of the next world: SQLite takes most of its time to read the schema."""
        if self._prepared is None and not self._is_closed:
            with suppress(MemoryError):  # creating the next world raises it again
                self._prepared = Store(self.connections, image=self.image)
                self._prepared.prepare()

    def _drop_prepared(self) -> None:
        if self._prepared is not None:
            self._prepared.close()
            self._prepared = None

    def _replace(self, name: str, image: bytes, staged: StagedImage) -> World:
        world = self._worlds[name]
        with self._with_origin(name, image):
            world.load(staged.take_store() or image)
        world.last_used = stopwatch()
        return world

    def _reset(self, name: str, staged: StagedImage) -> None:
        self.open_or_create(name).load(staged.take_store() or self.origin(name))

    def reset_existing(self, name: str, staged: StagedImage = NOTHING_STAGED) -> None:
        if self.exists(name):
            self.reset(name, staged)

    def replace_lost(self, name: str, error: WorldFileError) -> None:  # noqa: ARG002 - files
        raise error

    def exchange(self, world: World, take: Callable[[bytes | Store], None], image: bytes, staged: StagedImage) -> None:
        take(staged.take_store() or image)
        world.last_used = stopwatch()

    def replace_image(self, image: bytes) -> Iterator[Renewal]:
        there = [(name, self._worlds[name].beginning, self.origin(name)) for name in self.names()]
        before, self.image = self.image, image
        self._drop_prepared()
        for name, beginning, origin in there:
            yield Renewal(name, partial(self._renew, name, beginning), partial(eq, origin, before))

    def _renew(self, name: str, beginning: object, staged: StagedImage) -> bool:
        world = self._worlds.get(name)
        if world is None or world.beginning is not beginning:  # it was dropped, reset or replaced
            return False
        self.create_or_replace(name, staged=staged)
        return True

    def _forget(self, name: str) -> None:
        self._origins.pop(name, None)

    def _expire(self, name: str) -> None:
        log.info("world %s was idle for too long and is dropped; the setting world_idle changes that", name)
        self.drop(name)

    def close(self) -> None:
        super().close()
        self._drop_prepared()
