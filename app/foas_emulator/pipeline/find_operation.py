"""Which operation a request asks for, with which path and query parameters, and in which format."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import zip_longest
from types import MappingProxyType
from urllib.parse import parse_qsl

from foas_emulator.gateway.errors import INVALID_VERSION, MALFORMED, UNKNOWN_OPERATION, ApiError
from foas_emulator.gateway.formats import negotiate
from foas_emulator.gateway.operation import Operation, OperationIndex, check_escapes
from foas_emulator.pipeline.context import RequestContext

VERSION = "2018-11-11"


class FindOperation:
    """Matches method and raw path; an unknown one is refused before anything else is looked at."""

    def __init__(self, index: OperationIndex) -> None:
        self._index = index

    def __call__(self, context: RequestContext) -> None:
        refused = choose_format(context)
        match = self._index.find(context.method, context.raw_path)
        if match is None:
            raise UNKNOWN_OPERATION(self._nearest(context.method, context.raw_path))
        version = context.headers.get("x-acs-version")
        if version is not None and version != VERSION:
            raise INVALID_VERSION(f"x-acs-version is {version!r}; this product has {VERSION}.")
        if refused is not None:
            raise refused
        query = read_query(context.query_string)
        context.operation = match.operation
        context.parameters = match.parameters if not query else {**query, **match.parameters}

    def _nearest(self, method: str, raw_path: str) -> str:
        asked = raw_path.strip("/").split("/")
        known = {f"{each.method} /{'/'.join(_fill(each, asked))}": each for each in self._index.operations.values()}
        near = difflib.get_close_matches(f"{method} {raw_path}", known, n=1)
        hint = f"No operation answers {method} {raw_path}."
        if not near:
            return hint
        operation = known[near[0]]
        return f"{hint} The nearest is {operation.name}: {operation.method} {operation.path}."


def _fill(operation: Operation, asked: Sequence[str]) -> Iterator[str]:
    """The segments of an operation's path, with what was asked for in the places of its parameters."""
    for pattern, segment in zip_longest(operation.segments, asked[: len(operation.segments)], fillvalue=""):
        yield segment if pattern.startswith("{") else pattern


def choose_format(context: RequestContext) -> ApiError | None:
    """Choose the format of an answer, which is the default one if what was asked for cannot be had.

    Why it cannot is answered and not raised: an error that is checked earlier needs a format too.
    """
    default, accept = context.settings.default_format, context.headers.get("accept")
    context.format = default
    try:
        query = read_query(context.query_string)
    except ApiError:
        query = {}  # told of later, in the format that Accept asks for
    try:
        context.format = negotiate(query.get("Format", query.get("format")), accept, default)
    except ApiError as refused:
        return refused
    return None


@lru_cache(maxsize=4096)
def read_query(text: str) -> Mapping[str, str]:
    """The parameters of a query. Queries come again and again, so the latest few thousand are remembered."""
    try:
        return MappingProxyType(read_pairs(text.encode("latin-1").decode()) if text else {})
    except UnicodeDecodeError:
        raise MALFORMED("The query is not UTF-8.") from None


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
    check_escapes(text)
    return pairs
