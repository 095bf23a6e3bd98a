"""Which operation a request asks for, with which path and query parameters, and in which format."""

import difflib
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from urllib.parse import parse_qsl

from foas_emulator.gateway.errors import INVALID_VERSION, MALFORMED, UNKNOWN_OPERATION
from foas_emulator.gateway.exchange import Exchange
from foas_emulator.gateway.formats import negotiate
from foas_emulator.gateway.operation import OperationIndex, decode_segment

VERSION = "2018-11-11"


class FindOperation:
    """Matches method and raw path; an unknown one is refused before anything else is looked at."""

    def __init__(self, index: OperationIndex) -> None:
        self._index = index

    def __call__(self, exchange: Exchange) -> None:
        query = read_query(exchange.query_string)
        asked = query.get("Format", query.get("format"))
        default = exchange.settings.default_format
        exchange.format = default
        refused = None
        try:
            exchange.format = negotiate(asked, exchange.headers.get("accept"), default)
        except Exception as error:  # noqa: BLE001 - routing is checked first, so this refusal waits for it
            refused = error
        match = self._index.find(exchange.method, exchange.raw_path)
        if match is None:
            raise UNKNOWN_OPERATION(self._nearest(exchange.method, exchange.raw_path))
        version = exchange.headers.get("x-acs-version")
        if version is not None and version != VERSION:
            raise INVALID_VERSION(f"x-acs-version is {version!r}; this product has {VERSION}.")
        if refused is not None:
            raise refused
        exchange.operation = match.operation
        exchange.parameters = match.parameters if not query else {**query, **match.parameters}

    def _nearest(self, method: str, raw_path: str) -> str:
        shape = f"{method} {raw_path}"
        known = {f"{each.method} {each.path}": each.name for each in self._index.operations.values()}
        near = difflib.get_close_matches(shape, known, n=1, cutoff=0.4)
        hint = f"No operation answers {shape}."
        return f"{hint} The nearest is {known[near[0]]}: {near[0]}." if near else hint


@lru_cache(maxsize=4096)
def read_query(text: str) -> Mapping[str, str]:
    """The parameters of a query. Queries come again and again, so the latest few thousand are remembered."""
    return MappingProxyType(read_pairs(text) if text else {})


def read_pairs(text: str) -> dict[str, str]:
    """The parameters of a query or a form; the first of a repeated name counts.

    Raises `RequestParameterMalformed` for a broken escape or for what is not UTF-8.
    """
    pairs: dict[str, str] = {}
    try:
        for name, value in parse_qsl(text, keep_blank_values=True, errors="strict"):
            pairs.setdefault(name, value)
    except ValueError as error:
        raise MALFORMED(f"The parameters cannot be decoded: {error}.") from None
    if "%" in text:
        decode_segment(text)
    return pairs
