"""Find the operation that a request calls, its path and query parameters, and the format of the response."""

import difflib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from heapq import nlargest
from itertools import zip_longest
from types import MappingProxyType

from foas_emulator.gateway.errors import FORBIDDEN, INVALID_VERSION, MALFORMED, UNKNOWN_OPERATION, ApiError
from foas_emulator.gateway.escapes import unquoted
from foas_emulator.gateway.formats import negotiate
from foas_emulator.gateway.operation import LONGEST_KEPT, Operation, OperationIndex, check_escapes
from foas_emulator.masking import masked
from foas_emulator.pipeline.context import UNREADABLE, RequestContext

VERSION = "2018-11-11"

MAX_PARAMETERS = 4096
"""The most parameters that a query or a body may have."""
_LONGEST_SHOWN = 512
"""The most characters of a path to show in a hint."""
_LONGEST_COMPARED = 24
_MOST_COMPARED = 12
"""Characters of a segment, and segments, to compare with those of operations, which have no more: the names in a path
are the same on both sides, and comparing takes the product of both lengths."""
_MOST_LIKELY = 4
"""Operations to compare, those with most segments in common: comparing with all of them would take some 15 ms."""


class FindOperation:
    """The stage that matches method and raw path; it refuses an unmatched request before anything else is checked.

    Pages of other origins than these, and of this server's own, call no operation that writes; `*` means any origin.
    """

    def __init__(self, index: OperationIndex, *, origins: Collection[str] = ("*",)) -> None:
        self._index = index
        self._origins = None if "*" in origins else frozenset(origins)

    def __call__(self, context: RequestContext) -> None:
        refused = choose_format(context)
        if UNREADABLE in context.scope:
            raise context.scope[UNREADABLE]
        # Answer HEAD as GET; the server leaves the body out. Inferred: no document of the service mentions HEAD.
        is_head = context.method == "HEAD"
        match = self._index.find("GET" if is_head else context.method, context.raw_path)
        if match is None or (is_head and match.operation.writes):  # GetRawPlanJson; a HEAD must change nothing
            raise UNKNOWN_OPERATION(self._hint(context))
        version = context.headers.get("x-acs-version")
        if version is not None and version != VERSION:
            raise INVALID_VERSION(f"x-acs-version is {version!r}; this product has {VERSION}.")
        if refused is not None:
            raise refused
        if match.operation.writes:
            self._refuse_pages(context.headers)
        query = read_query(context.query_string)
        context.operation = match.operation
        context.parameters = match.parameters if not query else {**query, **match.parameters}

    def _refuse_pages(self, headers: Mapping[str, str]) -> None:
        """Raise `FORBIDDEN` for a page that may not call. CORS alone would only keep the answer from it.

        Without an Origin it is an image, a link or a frame. Of a prefetch, Chromium does not say whose page wants it.
        """
        site = headers.get("sec-fetch-site")
        is_elsewhere = site == "cross-site" or (site == "same-site" and self._origins is not None)
        if "origin" not in headers and (is_elsewhere or "sec-purpose" in headers):
            raise FORBIDDEN("A page sent this without an Origin, of another site or ahead of time; nothing changed.")
        if self._origins is None or site == "same-origin" or "origin" not in headers:
            return
        origin = headers["origin"]
        if origin not in self._origins and origin.partition("://")[2] != headers.get("host"):
            raise FORBIDDEN("The setting cors_origins names the origins whose pages may call; nothing was changed.")

    def _hint(self, context: RequestContext) -> str:
        """Return a hint why no operation matches; for an RPC call it says that this API has the ROA style."""
        action = None
        with suppress(ApiError):
            action = read_query(context.query_string).get("Action")
        if action is None and context.raw_path != "/":
            return self._nearest(context.method, masked(context.raw_path[:_LONGEST_SHOWN]))
        hint = "This API has the ROA style: method and path name an operation, and no Action does."
        operation = self._index.operations.get(action or "")
        return hint if operation is None else f"{hint} {operation.name} is {operation.method} {operation.path}."

    def _nearest(self, method: str, raw_path: str) -> str:
        asked = [segment[:_LONGEST_COMPARED] for segment in raw_path.strip("/").split("/", _MOST_COMPARED)]
        words = set(asked)

        def likeness(operation: Operation) -> tuple[int, int, bool]:
            segments = operation.segments
            return len(words.intersection(segments)), -abs(len(segments) - len(asked)), operation.method == method

        likely = nlargest(_MOST_LIKELY, self._index.operations.values(), key=likeness)
        known = {f"{each.method} /{'/'.join(_fill(each, asked))}": each for each in likely}
        near = difflib.get_close_matches(f"{method} /{'/'.join(asked)}", known, n=1)
        hint = f"No operation answers {method} {raw_path}."
        if not near:
            return hint
        operation = known[near[0]]
        return f"{hint} The nearest is {operation.name}: {operation.method} {operation.path}."


def _fill(operation: Operation, asked: Sequence[str]) -> Iterator[str]:
    """Yield the segments of an operation's path, with its parameters replaced by the request's segments."""
    for pattern, segment in zip_longest(operation.segments, asked[: len(operation.segments)], fillvalue=""):
        yield segment if pattern.startswith("{") else pattern


def choose_format(context: RequestContext) -> ApiError | None:
    """Choose the format of the response: the default one if the request asks for one that does not exist.

    Return the error for such a request instead of raising it: an error of an earlier check needs a format too.
    """
    default, accept = context.settings.default_format, context.headers.get("accept")
    context.format = default
    try:
        query = read_query(context.query_string)
    except ApiError:
        query = {}  # reported later, in the format that Accept asks for
    try:
        context.format = negotiate(query.get("Format", query.get("format")), accept, default)
    except ApiError as refused:
        return refused
    return None


def read_query(text: str) -> Mapping[str, str]:
    """Return the parameters of a query; the results for the latest short queries are cached."""
    return _read_short_query(text) if len(text) <= LONGEST_KEPT else _read_query(text)


def _read_query(text: str) -> Mapping[str, str]:
    try:
        return MappingProxyType(read_pairs(text.encode("latin-1").decode()) if text else {})
    except UnicodeDecodeError:
        raise MALFORMED("The query is not UTF-8.") from None


_read_short_query = lru_cache(maxsize=512)(_read_query)
"""One of 170 parameters takes fifteen kibibytes."""


def read_pairs(text: str) -> dict[str, str]:
    """Return the parameters of a query or a form. If a name is repeated, its first value counts.

    The others are returned as `name[2]` and so on, which nothing reads, so the journal shows them as unread.
    Raise `RequestParameterMalformed` for a broken escape, bytes that are not UTF-8, and too many parameters.
    """
    if text.count("&") >= MAX_PARAMETERS:
        raise MALFORMED(f"A request may have {MAX_PARAMETERS} parameters.")
    check_escapes(text)
    pairs: dict[str, str] = {}
    times: dict[str, int] = {}
    try:
        for pair in filter(None, text.split("&")):
            name, value = map(unquoted, pair.partition("=")[::2])
            if name in pairs:
                times[name] = times.get(name, 1) + 1
                pairs[f"{name}[{times[name]}]"] = value
            else:
                pairs[name] = value
    except ValueError as error:
        raise MALFORMED(f"The parameters cannot be decoded: {error}.") from None
    return pairs
