"""Common parts of the two documents: information about them, tidying, and writing."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from foas_emulator import __version__

Schema = dict[str, Any]

REQUEST_ID = {"type": "string", "description": "Id of the request; the header x-acs-request-id has it too."}
_SCHEMAS = "#/components/schemas/"


def information(title: str, description: str) -> Schema:
    """Return the `info` object of a document."""
    return {
        "title": title,
        "version": __version__,
        "description": description,
        "contact": {"name": "The maintainers of foas-emulator"},
        "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
    }


SERVERS: list[Schema] = [
    {
        "url": "http://{host}:{port}",
        "description": "The emulator.",
        "variables": {"host": {"default": "127.0.0.1"}, "port": {"default": "8018"}},
    }
]


def served(document: Schema, *, base_url: str, other: str) -> Schema:
    """Return a document as a server shows it: with its own URL, and a link to the page of the other document."""
    information = {**document["info"], "description": f"{document['info']['description']}\n\n{other}"}
    return {**document, "info": information, "servers": [{"url": base_url.rstrip("/"), "description": "This server."}]}


def as_yaml(document: Schema) -> str:
    """Return a document as YAML, as in its committed file."""
    return yaml.dump(document, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=120)


class _Dumper(yaml.SafeDumper):
    """A dumper that writes repeated parts in full, so that a reader finds no anchors."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True


def tidy(document: Schema, *, answers_have_null: bool) -> None:
    """Tidy a document that FastAPI made, and drop unused schemas.

    Members without a value are left out of every request, and of answers unless they have null.
    """
    schemas = document["components"]["schemas"]
    operations = [operation for item in document["paths"].values() for operation in item.values()]
    answers = [operation["responses"] for operation in operations] if answers_have_null else []
    with_null = set(_used(answers, schemas))
    for node in nodes([document["paths"], document["components"]]):
        _tidy(node)
    for name, schema in schemas.items():
        for node in nodes(schema) if name not in with_null else ():
            _drop_null(node)
    for operation in operations:
        for node in nodes(operation.get("parameters", [])):
            _drop_null(node)
    sent = set(_used([operation.get("requestBody") for operation in operations], schemas))
    for name in sent | with_null:
        for member in schemas[name].get("properties", {}).values():
            _drop_default(member, is_sent=name in sent)
    used = set(_used([document["paths"], {**document["components"], "schemas": {}}], schemas))
    for name in schemas.keys() - used:
        del schemas[name]


def rename_schemas(document: Schema, names: Mapping[str, str]) -> None:
    """Give schemas of a document their new names, by the old ones."""
    components = document["components"]
    components["schemas"] = {names.get(name, name): schema for name, schema in components["schemas"].items()}
    references = {f"{_SCHEMAS}{old}": f"{_SCHEMAS}{new}" for old, new in names.items()}
    for node in nodes(document):
        if (reference := node.get("$ref")) in references:
            node["$ref"] = references[reference]


def _used(roots: Any, schemas: Schema) -> Iterator[str]:
    """Yield the names of the schemas that can be reached."""
    reached: set[str] = set()
    waiting = [roots]
    while waiting:
        for node in nodes(waiting.pop()):
            name = str(node.get("$ref", "")).removeprefix(_SCHEMAS)
            if name in schemas and name not in reached:
                reached.add(name)
                waiting.append(schemas[name])
                yield name


def nodes(node: Any) -> Iterator[Schema]:
    """Yield every mapping in a part of a document, except those in examples, which are data."""
    if isinstance(node, dict):
        yield node
        for key, child in node.items():
            if key not in ("example", "examples"):
                yield from nodes(child)
    elif isinstance(node, list):
        for child in node:
            yield from nodes(child)


def _tidy(node: Schema) -> None:
    """Drop titles that repeat a name, duplicate texts and the only value of a boolean; write limits as integers."""
    if isinstance(node.get("title"), str):
        del node["title"]
    if "in" in node and "schema" in node:
        node["schema"].pop("description", None)
    if isinstance(node.get("type"), list):
        _split(node)
    if node.get("type") == "boolean":
        node.pop("const", None)  # openapi-generator's clients for Python compare the value with a text
    for bound in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
        if isinstance(node.get(bound), float) and node[bound].is_integer():
            # FastAPI makes a float of the largest integer, and the nearest float is one more.
            node[bound] = min(int(node[bound]), 2**63 - 1)


def _drop_default(member: Schema, *, is_sent: bool) -> None:
    """Give a default in words: openapi-typescript takes a member that has one as present in every document."""
    if "default" in member:
        default = json.dumps(member.pop("default"))
        if is_sent:
            member["description"] += f" Default: {default}."


def _split(node: Schema) -> None:
    """Write a choice of types as schemas with one type each, which generators of clients understand."""
    limits = {"string": ("pattern", "minLength", "maxLength"), "number": ("minimum", "maximum")}
    kinds = node.pop("type")
    node["anyOf"] = [
        {"type": kind, **{name: node[name] for name in limits.get(kind, ()) if name in node}} for kind in kinds
    ]
    for name in (name for kind in kinds for name in limits.get(kind, ())):
        node.pop(name, None)


def _drop_null(node: Schema) -> None:
    """Drop null from the types of a value."""
    kinds = [kind for kind in node.get("anyOf", []) if kind != {"type": "null"}]
    if len(kinds) == len(node.get("anyOf", [])):
        return
    node.pop("default", None)
    node["anyOf"] = kinds
    if len(kinds) == 1:
        del node["anyOf"]
        # The description of the member itself takes precedence over that of its type.
        node.update({**kinds[0], **node})
