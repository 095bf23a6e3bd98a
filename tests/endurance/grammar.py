"""Generate requests from our OpenAPI document: most are valid and reach deep into the service, others are wrong."""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

DEMO: Mapping[str, Sequence[Any]] = {
    "projectName": ("demo",),
    "jobName": ("running-stream", "running-batch", "draft", "committed-never-started"),
    "clusterId": ("demo4b0v6t1kq8y2w7x5z3ca",),
    "instanceId": ("-1",),
    "name": ("fuzz-a", "fuzz-c"),
    "project_name": ("demo",),
    "job_name": ("running-stream",),
    "instance_id": ("-1",),
    "packageName": ("clicks-1.2.jar",),
    "packages": ("clicks-1.2.jar",),
    "folderId": (3,),
    "srcPath": ("/orders",),
    "queueName": ("root.demo",),
    "ProjectName": ("demo",),
}
PROJECT1 = {
    **DEMO,
    "projectName": ("project1",),
    "jobName": ("job1",),
    "instanceId": ("412536",),
    "clusterId": ("rcmp9x37ztfb63g1x7lt****",),
    "packageName": ("hbase_demo-1.0-snapshot-shaded.jar",),
    "packages": ("hbase_demo-1.0-snapshot-shaded.jar",),
    "folderId": (1,),
    "queueName": ("root.project1",),
}
"""Values that the default seed makes valid, each with those that go with it."""
CREATED = {"jobName", "packageName"}
"""What a body names is to be created: not what is there already."""
SERVED = ("fuzz-a", "fuzz-b")
"""Worlds that operations are called in. The control API changes the first of them, too."""

EDGES: tuple[Any, ...] = (
    *("", "0", "-1", "1e308", "NaN", "9" * 400, str(2**63), "-" + "1" * 30, "null", "true", " ", "\x00", "\ud800", "é"),
    *(
        "a/b",
        "..",
        "%",
        "*" * 300,
        "{}",
        "[]",
        '{"a":',
        "${x}",
        "'\"--",
        "<x/>",
        "0d" * 50,
        "9999999999d",
        "\u202e",
        "x" * 5000,
    ),
)
FAULTY = "fuzz-faulty"
"""The world that all fault rules are armed in: what they do was asked for."""
VALUES: tuple[Any, ...] = (*EDGES, None, True, 0, -1, 2**63, 10**30, 1.5, [], {}, [[]], {"": {}}, [None] * 50)
MOST_DEEP = 5
SOON = "10ms"
"""What every timeout is: requests that wait are not looked for."""


@dataclass(frozen=True)
class Request:
    """One request as bytes on a connection, and whether its author meant it to be valid."""

    method: str
    target: str
    body: bytes
    content_type: str
    world: str
    is_valid: bool

    def raw(self) -> bytes:
        head = (
            f"{self.method} {self.target} HTTP/1.1\r\nHost: 127.0.0.1\r\nx-emulator-world: {self.world}\r\n"
            f"Content-Type: {self.content_type}\r\nContent-Length: {len(self.body)}\r\n\r\n"
        )
        return head.encode() + self.body


def requests_of_both(
    service: Mapping[str, Any], control: Mapping[str, Any], chance: random.Random
) -> Iterator[Request]:
    """Make requests of two documents without end, one in five of the control API's."""
    of_service, of_control = Grammar(service, chance).requests(), Grammar(control, chance).requests()
    while True:
        yield next(of_control if chance.random() < 0.2 else of_service)


def _is_endless(operation: Mapping[str, Any]) -> bool:
    """Whether an operation answers with a stream of events, which has no end."""
    return "text/event-stream" in operation.get("responses", {}).get("200", {}).get("content", {})


class Grammar:
    """Makes requests of an OpenAPI document, each from the random numbers it is given.

    `share` of the members that may be left out are there.
    """

    def __init__(self, document: Mapping[str, Any], chance: random.Random, *, share: float = 0.4) -> None:
        self._document = document
        self._chance = chance
        self._share = share
        self._known = DEMO
        self._operations = [
            (method.upper(), path, operation)
            for path, operations in document.get("paths", {}).items()
            for method, operation in operations.items()
            if not _is_endless(operation)
        ]

    def requests(self) -> Iterator[Request]:
        """Make requests without end."""
        while True:
            is_valid = self._chance.random() < 0.75
            yield self._request(*self._chance.choice(self._operations), is_valid=is_valid)

    def each(self) -> Iterator[Request]:
        """Make one valid request of each operation and each kind and example of its body."""
        for method, path, operation in self._operations:
            content = operation.get("requestBody", {}).get("content", {})
            for kind, described in content.items() or [("", {})]:
                for example in (None, *described.get("examples", {}).values()):
                    narrowed = {**described, "examples": {"": example} if example else {}}
                    body = {"content": {kind: narrowed} if kind else {}}
                    yield self._request(method, path, {**operation, "requestBody": body}, is_valid=True)

    def document(self) -> Any:
        """Make a valid document of a schema, when that is what all this is about."""
        return self._shaped("", self._document, is_valid=True, depth=0)

    def _request(self, method: str, path: str, operation: Mapping[str, Any], *, is_valid: bool) -> Request:
        self._known = self._chance.choice((DEMO, DEMO, PROJECT1))
        query: list[tuple[str, Any]] = []
        for given in operation.get("parameters", ()):
            parameter = self._resolved(given)
            place, name = parameter["in"], parameter["name"]
            if place == "path":
                value = self._value(name, parameter.get("schema", {}), is_valid=is_valid)
                value = FAULTY if name == "name" and "/faults" in path else value
                path = path.replace("{" + name + "}", quote(_text(value) or "x", safe="", errors="replace"))
            elif place == "query" and (parameter.get("required") or self._chance.random() < self._share):
                query.append((name, _text(self._value(name, parameter.get("schema", {}), is_valid=is_valid))))
        body, content_type = self._body(operation, is_valid=is_valid)
        target = path + (f"?{urlencode(query, errors='replace')}" if query else "")
        world = FAULTY if self._chance.random() < 0.002 else self._chance.choice(SERVED)
        return Request(method, target, body, content_type, world, is_valid)

    def _body(self, operation: Mapping[str, Any], *, is_valid: bool) -> tuple[bytes, str]:
        content = operation.get("requestBody", {}).get("content", {})
        if not content:
            return b"", "text/plain"
        kind, described = self._chance.choice(sorted(content.items()))
        examples = [each["value"] for each in described.get("examples", {}).values()]
        if examples and is_valid:
            value = self._chance.choice(examples)
            if isinstance(value, dict) and "timeout" in value:
                value = {**value, "timeout": SOON}
        else:
            value = self._shaped("", described.get("schema", {}), is_valid=is_valid, depth=0)
        if "form" in kind and isinstance(value, dict):
            return urlencode({key: _text(each) for key, each in value.items()}, errors="replace").encode(), kind
        return json.dumps(value).encode(), kind

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in schema:
            found: Any = self._document
            for part in schema["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            schema = found
        return schema

    def _value(self, name: str, schema: Mapping[str, Any], *, is_valid: bool) -> Any:
        if not is_valid and self._chance.random() < 0.5:
            return self._chance.choice(EDGES)
        if name in self._known:
            return self._chance.choice(self._known[name])
        return self._shaped(name, schema, is_valid=is_valid, depth=0)

    def _shaped(  # noqa: PLR0911 - one for each kind of schema
        self, name: str, schema: Mapping[str, Any], *, is_valid: bool, depth: int
    ) -> Any:
        schema = self._resolved(schema)
        chance = self._chance
        if not is_valid and chance.random() < 0.2:
            return chance.choice(VALUES)
        if name == "timeout":
            return SOON
        if name in self._known and not (depth and name in CREATED):
            return chance.choice(self._known[name])
        choices = [*schema.get("enum", ()), *(() if name in CREATED else schema.get("examples", ()))]
        if "const" in schema or choices:
            return schema.get("const", chance.choice(choices) if choices else None)
        for several in ("anyOf", "oneOf", "allOf"):
            if several in schema:
                return self._shaped(name, chance.choice(schema[several]), is_valid=is_valid, depth=depth)
        kind = schema.get("type", "string")
        if isinstance(kind, list):
            kind = chance.choice(kind)
        if kind == "object":
            members = schema.get("properties", {}) if depth < MOST_DEEP else {}
            required = schema.get("required", ())
            return {
                member: self._shaped(member, described, is_valid=is_valid, depth=depth + 1)
                for member, described in members.items()
                if member in required or chance.random() < self._share
            }
        if kind == "array":
            size = chance.randrange(3) if depth < MOST_DEEP else 0
            return [self._shaped("", schema.get("items", {}), is_valid=is_valid, depth=depth + 1) for _ in range(size)]
        plain = {
            "integer": chance.randrange(1, 60),
            "number": chance.random(),
            "boolean": chance.random() < 0.5,
            "null": None,
        }
        return plain.get(kind, f"v{chance.randrange(30)}")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def mangled(raw: bytes, chance: random.Random) -> bytes:
    """Return the bytes of a request with something broken in them."""
    place = chance.randrange(len(raw))
    return chance.choice(
        (
            lambda: raw[:place],
            lambda: raw[:place] + chance.randbytes(chance.randrange(1, 40)) + raw[place:],
            lambda: raw[:place] + bytes([raw[place] ^ 1 << chance.randrange(8)]) + raw[place + 1 :],
            lambda: raw.replace(b"\r\n", b"\n"),
            lambda: raw.replace(b"\r\n\r\n", b"\r\n" + b"x-a: b\r\n" * chance.randrange(1, 400) + b"\r\n", 1),
            lambda: raw.replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello", 1),
            lambda: raw.replace(b" HTTP/1.1", b"x" * chance.randrange(1, 70_000) + b" HTTP/1.1", 1),
            lambda: raw * chance.randrange(2, 20),
            lambda: chance.randbytes(chance.randrange(1, 300)),
        )
    )()
