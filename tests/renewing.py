"""Replace the default image without staging it."""

from collections.abc import Iterator

from foas_emulator.world.registry import Registry
from foas_emulator.world.staging import NOTHING_STAGED


def renewed(registry: Registry, image: bytes) -> Iterator[str | None]:
    """Yield the name of each world that starts over, None for each that stays."""
    for renewal in registry.replace_image(image):
        yield renewal.name if renewal.is_due() and renewal.replace(NOTHING_STAGED) else None
