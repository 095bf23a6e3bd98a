"""The limits of one HTTP request outside its body, and the refusal of a request that exceeds one."""

from foas_emulator.gateway.errors import HEADERS_TOO_LARGE, ApiError

MAX_HEAD = 64 * 1024
"""The most bytes of a request line and its headers."""
MAX_HEADERS = 256
MAX_TARGET = 32 * 1024
"""The most bytes of the target in a request line."""
MAX_PIPELINED = 256
"""The most requests of one connection that may wait for their turn."""

_BESIDE_A_HEADER = len(b": \r\n")


class RefusedRequest(Exception):  # noqa: N818 - it carries the error
    """Raised in a callback of the parser to refuse a request with `error`."""

    def __init__(self, error: ApiError) -> None:
        super().__init__(error.hint)
        self.error = error


class Trailers(list[tuple[bytes, bytes]]):
    """The headers of a request whose body is being read. What a client sends after the body becomes none of them.

    They are copies: those of the request itself have been handed over, and checks of them must not see others later.
    """

    _size = 0

    def append(self, pair: tuple[bytes, bytes]) -> None:
        """Take no notice of a trailer. Raise `RefusedRequest` if there are too many."""
        self._size += len(pair[0]) + len(pair[1]) + _BESIDE_A_HEADER
        if self._size > MAX_HEAD:
            raise RefusedRequest(HEADERS_TOO_LARGE(f"Trailers have over {MAX_HEAD} bytes, which is the limit."))
