"""A client of an emulator in this process that calls operations by name and reads answers of both formats alike."""

import asyncio
import json
import re
import types
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints
from urllib.parse import quote, urlencode

import httpx
import xmltodict
from pydantic import BaseModel

from foas_emulator.gateway.parameters import declared_parameters
from foas_emulator.main import create_app
from foas_emulator.operations.catalogue import OPERATIONS
from foas_emulator.settings import Settings
from foas_emulator.world.durations import duration
from foas_emulator.world.registry import Registry
from foas_emulator.world.tables import Row
from foas_emulator.world.world import SettledChange, World
from foas_emulator.worlds import open_registry

BY_NAME = {operation.name: operation for operation in OPERATIONS}
SENTENCE = re.compile(r"\S+ .+ .*\S\.")


@dataclass(frozen=True)
class Outcome:
    """What a call answered: `members` without the RequestId, with the types of the answer model in both formats."""

    status: int
    members: dict[str, Any]
    headers: httpx.Headers
    text: str

    @property
    def code(self) -> str | None:
        return str(self.members["Code"]) if self.status >= 400 else None

    @property
    def hint(self) -> str:
        found: str = self.headers.get("x-emulator-hint", "")
        return found


class Api:
    """Calls operations over ASGI, the parameters placed as the declarations say."""

    def __init__(self, registry: Registry, app: Any, wire_format: str) -> None:
        self.registry = registry
        self.app = app
        self.wire_format = wire_format

    @property
    def world(self) -> World:
        return self.registry.open_or_create("default")

    def advance(self, by: str) -> list[SettledChange]:
        """Move the default world's clock on, standing still; answers what came due."""
        with self.world.transaction():
            self.world.clock.set(mode="frozen", now=self.world.now() + duration(by))
        return self.world.settle()

    def call(self, name: str, /, **parameters: Any) -> Outcome:
        """Call an operation of the API."""
        operation = BY_NAME[name]
        places = {each.name: each.place for each in declared_parameters(operation.endpoint)}
        given = {key: _text(value) for key, value in parameters.items()}
        path = operation.path
        for key in [key for key, place in places.items() if place == "path"]:
            path = path.replace("{" + key + "}", quote(given.pop(key), safe=""))
        query = {key: value for key, value in given.items() if places.get(key.partition(".")[0], "query") == "query"}
        form = {key: value for key, value in given.items() if key not in query}
        url = path + (f"?{urlencode(query)}" if query else "")
        response = self.request(operation.method, url, data=form or None)
        return self._read(response, operation.endpoint)

    def request(self, method: str, url: str, **options: Any) -> httpx.Response:
        """Send any request, asking for this client's format unless the headers ask for another."""
        headers = {"accept": f"application/{self.wire_format}"} | dict(options.pop("headers", {}))

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://emulator") as client:
                return await client.request(method, url, headers=headers, **options)

        return asyncio.run(send())

    def ok(self, name: str, /, **parameters: Any) -> dict[str, Any]:
        """Call an operation that must succeed; answers its members."""
        outcome = self.call(name, **parameters)
        assert outcome.status == 200, f"{name}: {outcome.text} ({outcome.hint})"
        return outcome.members

    def refused(self, name: str, /, *, code: str, status: int = 400, **parameters: Any) -> Outcome:
        """Call an operation that must be refused with this code, changing nothing."""
        before = dump(self.world)
        outcome = self.call(name, **parameters)
        assert (outcome.status, outcome.code) == (status, code), f"{name}: {outcome.text} ({outcome.hint})"
        assert SENTENCE.fullmatch(outcome.hint), f"a refusal says why, in a sentence: {outcome.hint!r}"
        assert dump(self.world) == before, f"{name} was refused, and changed the world"
        return outcome

    def _read(self, response: httpx.Response, endpoint: Any) -> Outcome:
        members = read_members(response, get_type_hints(endpoint)["return"])
        assert members.pop("RequestId") == response.headers["x-acs-request-id"]
        return Outcome(response.status_code, members, response.headers, response.text)


@contextmanager
def open_api(*, wire_format: str = "json", **settings: Any) -> Iterator[Api]:
    """An emulator in this process, closed at the end."""
    chosen = Settings(**settings)
    registry = open_registry(chosen)
    try:
        yield Api(registry, create_app(chosen, registry=registry), wire_format)
    finally:
        registry.close()


def dump(world: World) -> dict[str, list[dict[str, Any]]]:
    """Every row of a world, by table."""
    models = {mapper.class_.__tablename__: mapper.class_ for mapper in Row._sa_registry.mappers}
    return {name: [row.model_dump() for row in world.store.find(models[name])] for name in sorted(models)}


def read_members(response: httpx.Response, model: type[BaseModel]) -> dict[str, Any]:
    """The members of an answer, whichever format it came in."""
    if response.headers["content-type"] == "application/json;charset=utf-8":
        return dict(json.loads(response.text))
    assert response.headers["content-type"] == "text/xml;charset=utf-8"
    if response.status_code >= 400:
        (root,) = xmltodict.parse(response.content, strip_whitespace=False).values()
        return dict(root)
    return read_xml(response.content, model)


def read_xml(content: bytes, model: type[BaseModel]) -> dict[str, Any]:
    """The members of a success in XML, with the types of its model."""
    (root,) = xmltodict.parse(content, strip_whitespace=False).values()
    request_id = root.pop("RequestId")
    return {"RequestId": request_id, **_typed(root, model)}


def _typed(value: Any, annotation: Any) -> Any:
    """A value read from XML with the type its model declares."""
    annotation = plain(annotation)
    if get_origin(annotation) is list:
        items = [] if value is None else value if isinstance(value, list) else [value]
        return [_typed(item, get_args(annotation)[0]) for item in items]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _typed_members(value or {}, annotation)
    if annotation is str:
        return value or ""
    if annotation is bool:
        return {"true": True, "false": False}[value]
    if annotation in (int, float):
        return annotation(value)
    if get_origin(annotation) is dict or annotation is dict:
        return {key: member or "" for key, member in (value or {}).items()}
    raise AssertionError(f"no reading of {annotation}")


def _typed_members(value: Mapping[str, Any], model: type[BaseModel]) -> dict[str, Any]:
    fields = {field.alias: field.annotation for field in model.model_fields.values()}
    members = {name: _typed(member, fields[name]) for name, member in value.items()}
    for name, annotation in fields.items():
        if get_origin(plain(annotation)) is list:
            members.setdefault(str(name), [])
    return members


def plain(annotation: Any) -> Any:
    """A type without what is annotated to it and without None."""
    if get_origin(annotation) is Annotated:
        return plain(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return plain(next(part for part in get_args(annotation) if part is not type(None)))
    return annotation


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
