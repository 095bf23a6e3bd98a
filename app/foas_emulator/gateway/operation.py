"""The declaration of an operation, and the index that finds it by method and path."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

from fastapi import APIRouter

from foas_emulator.gateway.errors import MALFORMED
from foas_emulator.gateway.evidence import Evidence, documented
from foas_emulator.gateway.routes import OperationRoute, WritingRoute

Endpoint = Callable[..., Any]

LONGEST_KEPT = 512
"""The most characters of a path or a query whose reading is cached, so that a cache takes a few mebibytes at most."""


@dataclass(frozen=True, kw_only=True)
class Operation:
    """The one declaration of an operation of the API.

    The endpoint's signature gives the typed parameters, its return annotation the answer model and its docstring
    the description. `writes` alone, not the method, decides about transactions and caching.
    """

    name: str
    method: str
    path: str
    endpoint: Endpoint
    router: "Group" = field(repr=False, compare=False)
    evidence: Evidence
    writes: bool

    @cached_property
    def segments(self) -> tuple[str, ...]:
        return tuple(self.path.strip("/").split("/"))

    @cached_property
    def route(self) -> OperationRoute:
        """The FastAPI path operation, built on first use, because building it takes two milliseconds."""
        return self.router.build(self)

    @property
    def group(self) -> str:
        """The name of the operation's group."""
        return self.router.name


class Group(APIRouter):
    """The operations of one group of the API: a FastAPI router that builds a path operation when it is first called.

    Decorating an endpoint declares an operation. If its evidence is a text, that is the date of its help page.
    """

    def __init__(self, name: str) -> None:
        super().__init__(tags=[name])
        self.name = name
        self.declared: list[Operation] = []

    def reads(self, name: str, method: str, path: str, *, evidence: Evidence | str) -> Callable[[Endpoint], Endpoint]:
        """Declare an operation that only reads."""
        return self._declare(name, method, path, evidence=evidence, writes=False)

    def writes(self, name: str, method: str, path: str, *, evidence: Evidence | str) -> Callable[[Endpoint], Endpoint]:
        """Declare an operation that may write; its endpoint runs inside a transaction."""
        return self._declare(name, method, path, evidence=evidence, writes=True)

    def _declare(
        self, name: str, method: str, path: str, *, evidence: Evidence | str, writes: bool
    ) -> Callable[[Endpoint], Endpoint]:
        source = documented(f"help page {name}, {evidence}") if isinstance(evidence, str) else evidence

        def register(endpoint: Endpoint) -> Endpoint:
            declared = Operation(
                name=name, method=method, path=path, endpoint=endpoint, router=self, evidence=source, writes=writes
            )
            self.declared.append(declared)
            return endpoint

        return register

    def build(self, operation: Operation) -> OperationRoute:
        """Return the path operation of an operation, after adding it if needed. Other threads may add others."""
        built = {route.name: route for route in self.routes if isinstance(route, OperationRoute)}
        if operation.name not in built:
            self.add_api_route(
                operation.path,
                operation.endpoint,
                methods=[operation.method],
                name=operation.name,
                operation_id=operation.name,
                route_class_override=WritingRoute if operation.writes else OperationRoute,
            )
        return built.get(operation.name) or self.build(operation)


class Match(NamedTuple):
    """An operation found by method and path, with the decoded values of its path parameters."""

    operation: Operation
    parameters: Mapping[str, str]


class OperationIndex:
    """An index that finds an operation by method and raw path in one walk down a tree of segments.

    A segment is percent-decoded once, after the path is split, so `%2F` is a slash inside a name. There is no
    redirect for a trailing slash.
    """

    def __init__(self, operations: Iterable[Operation]) -> None:
        self.operations = {operation.name: operation for operation in operations}
        self._roots: dict[str, Any] = {}
        for operation in self.operations.values():
            node = self._roots.setdefault(operation.method, {})
            for segment in operation.segments:
                node = node.setdefault("{}" if segment.startswith("{") else segment, {})
            node[None] = operation
        self._find_short = lru_cache(maxsize=4096)(self._find)

    def find(self, method: str, raw_path: str) -> Match | None:
        """Return the operation at a path, or None. Raise `RequestParameterMalformed` for a path that is not UTF-8."""
        return self._find_short(method, raw_path) if len(raw_path) <= LONGEST_KEPT else self._find(method, raw_path)

    def _find(self, method: str, raw_path: str) -> Match | None:
        if not raw_path.startswith("/"):
            return None
        segments = raw_path[1:].split("/")
        operation = _descend(self._roots.get(method, {}), segments)
        if operation is None:
            return None
        values = {
            pattern[1:-1]: decode_segment(segment)
            for pattern, segment in zip(operation.segments, segments, strict=True)
            if pattern.startswith("{")
        }
        return Match(operation, values)


def _descend(node: dict[str | None, Any], segments: list[str]) -> Operation | None:
    if not segments:
        return node.get(None)
    first, rest = segments[0], segments[1:]
    for key in (first, "{}") if first else ():
        if key in node and (found := _descend(node[key], rest)) is not None:
            return found
    return None


_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def decode_segment(text: str) -> str:
    """Percent-decode a segment once, strictly as UTF-8. Raise `RequestParameterMalformed`."""
    if "%" not in text and text.isascii():
        return text  # the usual case
    check_escapes(text)
    try:
        return unquote_to_bytes(text.encode("latin-1")).decode()
    except UnicodeDecodeError:
        raise MALFORMED(f"{text!r} is not UTF-8 once it is percent-decoded.") from None


def check_escapes(text: str) -> None:
    """Raise `RequestParameterMalformed` if a percent sign does not begin an escape; the rest may hold secrets."""
    found = _BROKEN_ESCAPE.search(text)
    if found is not None:
        part = text[found.start() :][:3]
        raise MALFORMED(f"{part!r} holds a percent sign that begins no escape; write it as %25.")
