"""The database image that new worlds are loaded from."""

from collections.abc import Iterable, Mapping

from foas_emulator.seeds.applying import apply
from foas_emulator.seeds.document import SeedDocument
from foas_emulator.world.settings import WorldSettings
from foas_emulator.world.store import Connections, Store, empty_image
from foas_emulator.world.world import Handler, World, WorldRow


def image_of(
    documents: Iterable[SeedDocument],
    *,
    connections: Connections,
    handlers: Mapping[str, Handler],
    defaults: WorldSettings,
) -> bytes:
    """A database image that holds these documents, applied in order."""
    empty = empty_image(connections)
    store = Store(connections, image=empty)
    with store.transaction():
        store.insert(WorldRow())
    world = World("", store, origin=empty, defaults=defaults, handlers=handlers)
    for document in documents:
        apply(world, document)
    image = store.image()
    world.close()
    return image
