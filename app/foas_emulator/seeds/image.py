"""The database image from which new worlds are loaded."""

from collections.abc import Iterable, Mapping

from foas_emulator.operations.catalogue import HANDLERS
from foas_emulator.seeds.applying import apply
from foas_emulator.seeds.document import SeedDocument
from foas_emulator.seeds.reading import read_seeds
from foas_emulator.world.connections import Connections
from foas_emulator.world.registry import Registry
from foas_emulator.world.settings import WorldSettings
from foas_emulator.world.store import Store
from foas_emulator.world.tables import assign, equal
from foas_emulator.world.world import Handler, World, WorldRow


def try_seeds(sources: Iterable[str]) -> None:
    """Read seeds and apply them in order to a temporary world. Raise `SeedError` with all faults."""
    image_of(read_seeds(sources), connections=Connections(), handlers=HANDLERS, defaults=WorldSettings())


def image_for(registry: Registry, documents: Iterable[SeedDocument]) -> bytes:
    """Return the template of a seed for worlds of a registry."""
    return image_of(documents, connections=registry.connections, handlers=registry.handlers, defaults=registry.defaults)


def image_of(
    documents: Iterable[SeedDocument],
    *,
    connections: Connections,
    handlers: Mapping[str, Handler],
    defaults: WorldSettings,
) -> bytes:
    """Return a template with the contents of these documents, applied in order at one instant."""
    store = Store(connections, image=connections.empty_image)
    with store.transaction():
        store.insert(WorldRow.model_construct())
    world = World("", store, defaults=defaults, handlers=handlers)
    made_at = world.now()
    try:
        with world.clock.held_at(made_at):
            for document in documents:
                apply(world, document)
        with store.transaction():
            store.update(WorldRow, assign(WorldRow.template_at, made_at), where=[equal(WorldRow.id, 1)])
        return store.image()
    finally:
        world.close()
