"""The calls that latencies delay, within one byte budget; they continue even if their clients have left."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from sys import getsizeof

from foas_emulator.gateway.errors import UNAVAILABLE
from foas_emulator.gateway.responses import GatewayResponse
from foas_emulator.json_bounds import memory_of
from foas_emulator.pipeline.context import RequestContext

MOST_HELD = 256 * 1024 * 1024
"""The most bytes of calls and answers that are held back: some 13,000 small ones. A single one may be larger."""
_CALL = 20_000
"""Approximate size in bytes of a call that is held back, with its task and connection, without what was sent."""
_HEADER = 350
"""Approximate size in bytes of a header, without its characters."""
_TARGETS = 5
"""How often the target of a request is in memory."""


class HeldCalls:
    """The estimated size of all calls that are held back now."""

    def __init__(self) -> None:
        self.size = 0

    def holding(self, context: RequestContext) -> AbstractContextManager[None]:
        """Count a call while the block holds it back; refuse it if too many are held back already."""
        return self._counted(_CALL + _sent(context) + len(context.body) + memory_of(context.parameters))

    def holding_answer(self, response: GatewayResponse) -> AbstractContextManager[None]:
        """Count the answer of a call that is counted already, while the block holds it back; refuse it likewise."""
        return self._counted(response.content.size)

    @contextmanager
    def _counted(self, size: int) -> Iterator[None]:
        if self.size and self.size + size > MOST_HELD:
            raise UNAVAILABLE(
                f"Latencies already hold back calls of {self.size} bytes, also of clients that have left, and "
                f"{MOST_HELD} are allowed: ask again, or choose shorter latencies."
            )
        self.size += size
        try:
            yield
        finally:
            self.size -= size


def _sent(context: RequestContext) -> int:
    """Return the approximate size in bytes of the head of a request: as bytes, as texts, and as the key of a cache."""
    headers = sum(_HEADER + 2 * (len(name) + len(value)) for name, value in context.headers.items())
    return headers + _TARGETS * (len(context.raw_path) + len(context.query_string)) + getsizeof(context.scope["path"])
