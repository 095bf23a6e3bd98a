"""The document of the control API, which is separate so that clients of the service do not contain it."""

from collections.abc import Sequence
from typing import Any

from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from foas_emulator.gateway.access_keys import WORLD_NAME
from foas_emulator.openapi.document import SERVERS, Schema, information, nodes, tidy

TITLE = "foas-emulator control API"
DESCRIPTION = (
    "The emulator's own features: worlds, their clocks, faults, settings, snapshots and journals. Bodies are read as "
    "YAML if their type says so, else as JSON. An error is answered with `error`, what is wrong, and `hint`, what to "
    "do about it; only what is no HTTP, or has too long a head, is refused in the envelope of the service."
)
_TAGS = {
    "info": "Information about the running emulator.",
    "worlds": "Worlds: isolated universes of the service.",
    "snapshots": "Whole worlds as documents, and the merging of seeds.",
    "settings": "The settings of a world.",
    "clock": "The time of a world.",
    "instances": "The states of instances, set directly.",
    "faults": "Rules that make calls fail on purpose.",
    "journal": "The calls of a world and their responses.",
    "coverage": "The parts of the service that were exercised.",
}
_PARAMETERS: dict[str, Schema] = {
    "world": {"description": "Name of the world.", "schema": {"pattern": f"^{WORLD_NAME}$"}},
    "project_name": {"description": "Name of the project."},
    "job_name": {"description": "Name of the job."},
    "instance_id": {"description": "Id of the instance.", "schema": {"format": "int64"}},
    "rule_id": {"description": "Id of the fault rule.", "schema": {"format": "int64"}},
    "request_id": {"description": "Id of the request, as x-acs-request-id names it."},
    "operation": {"description": "Only calls of this operation; a glob such as Get*."},
    "status": {"description": "Only calls answered with this status.", "schema": {"format": "int32"}},
    "code": {"description": "Only calls refused with this error code; a glob."},
    "access_key_id": {"description": "Only calls signed with this access key."},
    "failed": {"description": "Whether the call failed: with an error, or with no answer."},
    "faulted": {"description": "Whether a fault rule applied."},
    "struck": {"description": "The older name of faulted."},
    "unread": {"description": "Whether there were parameters that nothing read."},
    "unknown": {"description": "Whether no operation matched."},
}
_FORMATS = {"integer": "int64", "number": "double"}
"""Formats of numbers for which the model gives none."""
_SECURITY = {
    "ControlToken": {
        "type": "http",
        "scheme": "bearer",
        "description": "The setting `control_token`. Without one, callers on the emulator's machine need none.",
    }
}


def operation_id(route: APIRoute) -> str:
    """Return the short id of an operation of the control API: `list_worlds` is `listWorlds`."""
    first, *others = route.name.split("_")
    return first + "".join(word.capitalize() for word in others)


def describe_control(routes: Sequence[BaseRoute]) -> Schema:
    """Return the document of the control API's routes."""
    made = get_openapi(title=TITLE, version="", routes=routes)
    document: Schema = {
        "openapi": made["openapi"],
        "info": information(TITLE, DESCRIPTION),
        "servers": SERVERS,
        "security": [{"ControlToken": []}, {}],
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
        "paths": made["paths"],
        "components": {"schemas": made["components"]["schemas"], "securitySchemes": _SECURITY},
    }
    for item in document["paths"].values():
        for operation in item.values():
            for parameter in operation.get("parameters", []):
                _describe(parameter)
    tidy(document, answers_have_null=True)
    for node in nodes(document):
        if node.get("type") in _FORMATS:
            node.setdefault("format", _FORMATS[node["type"]])
    return document


def _describe(parameter: Schema) -> None:
    known: dict[str, Any] = _PARAMETERS.get(parameter["name"], {})
    parameter.setdefault("description", known.get("description"))
    parameter["schema"].update(known.get("schema", {}))
