"""The OpenAPI document, made from the declarations when it is asked for.

FastAPI describes parameters and answer models; what it cannot know is added here: the RequestId of every answer, the
XML twin of every JSON answer, the error envelope, the evidence, and the documented examples.
"""

import json
from collections.abc import Iterator, Sequence
from importlib.resources import files
from typing import Any

import yaml
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from foas_emulator.gateway.operation import Operation

Schema = dict[str, Any]

DESCRIPTION = (
    "A local stand-in for Alibaba Cloud Realtime Compute, product `foas`, API version 2018-11-11. "
    "Every operation names its evidence in `x-evidence`: documented, sample, sdk, or inferred."
)
_REQUEST_ID = {"type": "string", "description": "Id of the request; the header x-acs-request-id carries it too."}
_ERROR = {
    "type": "object",
    "description": "The gateway's error envelope.",
    "required": ["RequestId", "HostId", "Code", "Message", "Recommend"],
    "properties": {
        "RequestId": _REQUEST_ID,
        "HostId": {"type": "string", "description": "Host the request was sent to."},
        "Code": {"type": "string", "description": "Error code.", "examples": ["InvalidInstance.NotRunning"]},
        "Message": {"type": "string", "description": "What was wrong."},
        "Recommend": {"type": "string", "description": "Where the service explains the code."},
    },
}
_ERROR_HEADERS = {
    "x-emulator-hint": {"schema": {"type": "string"}, "description": "Why, and what to do about it."},
    "x-emulator-evidence": {"schema": {"type": "string"}, "description": "How the emulator knows this error."},
}
_COMMON_PARAMETERS = {
    "Format": {
        "name": "Format",
        "in": "query",
        "description": "Format of the answer; it wins over Accept.",
        "schema": {"type": "string", "enum": ["JSON", "XML"]},
    },
    "World": {
        "name": "x-emulator-world",
        "in": "header",
        "description": "World to work in; an access key world-<name> does the same.",
        "schema": {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]{0,63}$"},
    },
}


def describe(app: FastAPI, operations: Sequence[Operation]) -> Schema:
    """The document of the operations and of the emulator's own routes."""
    routes = [*(operation.route for operation in operations), *app.routes]
    document = get_openapi(title=app.title, version=app.version, description=DESCRIPTION, routes=routes)
    components = document.setdefault("components", {})
    components.setdefault("schemas", {})["Error"] = _ERROR
    components["parameters"] = _COMMON_PARAMETERS
    for operation in operations:
        _complete(document["paths"][operation.path][operation.method.lower()], operation, components["schemas"])
    for node in _nodes([document["paths"], components]):
        _tidy(node)
    return document


def as_yaml(document: Schema) -> str:
    """The document as the committed file has it."""
    return yaml.dump(document, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=120)


class _Dumper(yaml.SafeDumper):
    """Writes every part out where it stands, so that a reader finds no anchors."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True


def _complete(described: Schema, operation: Operation, schemas: dict[str, Schema]) -> None:
    described["summary"] = operation.name
    described["x-evidence"] = {"kind": operation.evidence.kind, "source": operation.evidence.source}
    described["x-writes"] = operation.writes
    common = [{"$ref": f"#/components/parameters/{name}"} for name in _COMMON_PARAMETERS]
    described["parameters"] = [*described.get("parameters", []), *common]
    answer = described["responses"]["200"]["content"]["application/json"]["schema"]
    _add_request_id(schemas[answer["$ref"].rpartition("/")[2]])
    described["responses"] = {
        "200": {
            "description": "The operation did what it was asked.",
            "content": {
                "application/json": {"schema": answer, **_example(operation, "json")},
                "text/xml": {
                    "schema": {"allOf": [answer], "xml": {"name": f"{operation.name}Response"}},
                    **_example(operation, "xml"),
                },
            },
        },
        "4XX": _error("The request was refused."),
        "5XX": _error("The emulator failed, or was told to."),
    }


def _add_request_id(schema: Schema) -> None:
    """Give an answer its RequestId, as its first member."""
    schema["properties"] = {"RequestId": _REQUEST_ID} | schema.get("properties", {})
    schema["required"] = ["RequestId", *(name for name in schema.get("required", []) if name != "RequestId")]


def _error(description: str) -> Schema:
    error = {"$ref": "#/components/schemas/Error"}
    return {
        "description": description,
        "headers": _ERROR_HEADERS,
        "content": {"application/json": {"schema": error}, "text/xml": {"schema": error}},
    }


def _example(operation: Operation, extension: str) -> Schema:
    """The documented answer of an operation, where there is one."""
    file = files("foas_emulator.fixtures").joinpath("documented", f"{operation.name}.{extension}")
    if not file.is_file():
        return {}
    text = file.read_text("utf-8")
    return {"example": json.loads(text) if extension == "json" else text}


def _nodes(node: Any) -> Iterator[Schema]:
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _nodes(child)


def _tidy(node: Schema) -> None:
    """Drop titles that repeat a name, texts that stand twice, and null: what has no value is left out."""
    if isinstance(node.get("title"), str):
        del node["title"]
    if "in" in node and "schema" in node:
        node["schema"].pop("description", None)
    kinds = [kind for kind in node.get("anyOf", []) if kind != {"type": "null"}]
    if len(kinds) == 1 and len(node["anyOf"]) > 1:
        del node["anyOf"]
        node.update(kinds[0])
        node.pop("default", None)
