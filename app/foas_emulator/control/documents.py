"""Bodies and answers that may be JSON or YAML."""

from codecs import getincrementaldecoder
from collections.abc import Callable, Coroutine, Mapping
from types import MappingProxyType
from typing import Any

import yaml
from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.datastructures import MutableHeaders

from foas_emulator.control.errors import ControlError
from foas_emulator.control.off_loop import LARGE, off_loop
from foas_emulator.gateway.encodings import foreign_encoding
from foas_emulator.seeds.limits import DocumentError, path_of, weight
from foas_emulator.seeds.loading import Document, load_json, load_yaml
from foas_emulator.world.slices import in_slices

YAML = "application/yaml"
_YAML_SAYS_SO = f"If it is YAML, send it with the Content-Type {YAML}."


def described_body(schema: Mapping[str, Any], **examples: Any) -> dict[str, Any]:
    """Return the OpenAPI description of a body that an endpoint reads by itself."""
    shown = {name.replace("_", " "): {"value": value} for name, value in examples.items()}
    content = {"schema": dict(schema), **({"examples": shown} if shown else {})}
    return {"requestBody": {"content": {"application/json": content, YAML: content}}}


ANY_OBJECT: Mapping[str, Any] = MappingProxyType({"type": "object", "additionalProperties": True})


def is_yaml(request: Request) -> bool:
    return "yaml" in request.headers.get("content-type", "")


async def read_body(request: Request) -> bytes | bytearray:
    """Return a body; join the pieces of a large one in slices, between which other requests are served."""
    body = bytearray()
    async for piece in in_slices([piece async for piece in request.stream()]):
        body += piece
    return body if len(body) > LARGE else bytes(body)


def parse_document(body: bytes | bytearray, *, as_yaml: bool) -> Document:
    """Parse a JSON or YAML body; the value is None if it is empty. Raise `ControlError`."""
    try:
        text = decode(body)
        return load_yaml(text) if as_yaml else load_json(text)
    except DocumentError as error:
        language = "YAML" if as_yaml else "JSON"
        faults = [{"line": flaw.line, "path": path_of(flaw.place), "message": flaw.message} for flaw in error.flaws]
        is_written_wrong = any(flaw.message.startswith(f"not {language}: ") for flaw in error.flaws)
        heading = f"The body is not {language}." if is_written_wrong else "The body cannot be used."
        is_perhaps_yaml = is_written_wrong and not as_yaml and body[:80].lstrip()[:1] not in (b"{", b"[")
        hint = f"{error}. {_YAML_SAYS_SO}" if is_perhaps_yaml else f"{error}."
        raise ControlError(400, heading, hint, faults=faults) from None


def decode(body: bytes | bytearray) -> str:
    """Return the text of a body. Raise `ControlError`."""
    if (found := foreign_encoding(body)) is not None:
        raise ControlError(400, f"The body is {found}.", "Save it as UTF-8.")
    decode_piece = getincrementaldecoder("utf-8-sig")().decode
    text, pieces = "", memoryview(body)
    try:
        for start in range(0, len(body), LARGE):
            text += decode_piece(pieces[start : start + LARGE])  # in its place, so that nothing long is ever copied
        return text + decode_piece(b"", final=True)
    except UnicodeDecodeError as error:
        before = len(text) + len(error.object[: error.start].decode())
        raise ControlError(400, "The body is not UTF-8.", f"{error.reason} at character {before + 1}.") from None


MAX_VALUES = 10_000
"""The most values in a body that is not a seed or a snapshot."""
_AT_ONCE = 8 * 1024
"""The size in bytes of a body that is parsed on the event loop, in a few milliseconds."""


class _DocumentRequest(Request):
    """A request whose body is parsed as all documents are."""

    as_yaml = False

    async def json(self) -> Any:
        body = await self.body()
        return await off_loop(
            weight(body), lambda: _few(parse_document(body, as_yaml=self.as_yaml).value), at_once=_AT_ONCE
        )


def _few(value: Any) -> Any:
    """Return a value if it contains at most `MAX_VALUES`: to check and use them takes the event loop's time."""
    found, ahead = 0, [value]
    while ahead:
        part = ahead.pop()
        found += 1
        if found + len(ahead) > MAX_VALUES:
            raise ControlError(413, f"The body holds more than {MAX_VALUES} values.", "Split it over several calls.")
        if isinstance(part, dict | list):
            ahead += part.values() if isinstance(part, dict) else part[: MAX_VALUES + 1]
    return value


class DocumentRoute(APIRoute):
    """A route whose body, JSON or YAML, is parsed safely and within bounds before FastAPI validates it."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def read_safely(request: Request) -> Response:
            safe = _DocumentRequest(request.scope, request.receive)
            safe.as_yaml = is_yaml(request)
            # FastAPI asks for the value of a body whose type is JSON, even where nothing reads it.
            MutableHeaders(scope=request.scope)["content-type"] = "application/json"
            return await handle(safe)

        return read_safely


def wants_yaml(request: Request) -> bool:
    return "yaml" in request.headers.get("accept", "")


def dump_yaml(document: Any) -> str:
    """Return a document as YAML, with its members in their present order."""
    return str(yaml.dump(document, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=120))
