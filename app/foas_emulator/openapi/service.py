"""The document of the service, from which clients are generated and with which answers are validated.

FastAPI describes parameters and answer models. This module adds the rest: the RequestId of every answer, the XML form
of every JSON answer, the meanings of members, the error envelope, the evidence and the examples.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi.openapi.utils import get_openapi

from foas_emulator.gateway.access_keys import WORLD_NAME
from foas_emulator.gateway.operation import Operation
from foas_emulator.gateway.parameters import REFUSED_WITHOUT
from foas_emulator.openapi.document import REQUEST_ID, SERVERS, Schema, information, rename_schemas, tidy
from foas_emulator.openapi.examples import documented, examples
from foas_emulator.openapi.members import meaning

TITLE = "Realtime Compute (foas) 2018-11-11"
DESCRIPTION = (
    "Alibaba Cloud Realtime Compute, product `foas`, API version 2018-11-11, as foas-emulator serves it. "
    "Every operation names its evidence in `x-evidence`: documented, sample, sdk, or inferred. "
    "`x-writes` says whether it may change anything. A parameter with `x-gateway-required: false` is optional in the "
    "service's metadata, and the service refuses a call without it."
)
_TAGS = {
    "projects": "Projects, which hold jobs, folders and packages, and run on a cluster or in the shared one.",
    "folders": "Folders, which contain the jobs of a project.",
    "jobs": "Jobs: their drafts, plans, commits and starts.",
    "instances": "Instances, the runs of jobs: their states and what the engine reports of them.",
    "packages": "Packages, the files that jobs refer to.",
    "queues": "Queues, the shares of clusters that projects run in.",
    "clusters": "Exclusive clusters: ordering, creating, expanding, shrinking and destroying them.",
    "tags": "Tags of clusters.",
    "autoscale": "AutoScale, which changes the plans of running jobs.",
    "metrics": "Metrics of instances and clusters.",
}
_SECURITY = {
    "AccessKey": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": (
            "The gateway's signature: `acs {AccessKeyId}:{signature}` (V1) or `ACS3-HMAC-SHA256 Credential=...` (V3). "
            "The SDKs make it. The emulator checks it if its setting `signature` says so."
        ),
    }
}
_FORM = "application/x-www-form-urlencoded"
_ERROR = {
    "type": "object",
    "description": "The gateway's error envelope.",
    "required": ["RequestId", "HostId", "Code", "Message", "Recommend"],
    "properties": {
        "RequestId": REQUEST_ID,
        "HostId": {"type": "string", "description": "Host to which the request was sent.", "examples": ["127.0.0.1"]},
        "Code": {"type": "string", "description": "Error code.", "examples": ["Throttling.User"]},
        "Message": {
            "type": "string",
            "description": "Error message.",
            "examples": ["Request was denied due to user flow control."],
        },
        "Recommend": {
            "type": "string",
            "description": "URL at which the service explains the code.",
            "examples": ["https://error-center.aliyun.com/status/search?Keyword=Throttling.User&source=PopGw"],
        },
    },
    "xml": {"name": "Error"},
}
_HEADERS = {
    "RequestId": {"schema": {"type": "string"}, "description": "Id of the request, as in the body."},
    "Hint": {"schema": {"type": "string"}, "description": "Reason of the error, and what to do about it."},
    "Evidence": {"schema": {"type": "string"}, "description": "Evidence for this error."},
}
_REQUEST_ID_HEADER = {"x-acs-request-id": {"$ref": "#/components/headers/RequestId"}}
_ERROR_HEADERS = {
    **_REQUEST_ID_HEADER,
    "x-emulator-hint": {"$ref": "#/components/headers/Hint"},
    "x-emulator-evidence": {"$ref": "#/components/headers/Evidence"},
}
_COMMON_PARAMETERS = {
    "Format": {
        "name": "Format",
        "in": "query",
        "description": "Format of the answer; it takes precedence over Accept.",
        "schema": {"type": "string", "enum": ["JSON", "XML"]},
    },
    "World": {
        "name": "x-emulator-world",
        "in": "header",
        "description": "World of the emulator to use; an access key world-<name> does the same.",
        "schema": {"type": "string", "pattern": f"^{WORLD_NAME}$"},
    },
}


def describe_service(operations: Sequence[Operation]) -> Schema:
    """Return the document of these operations."""
    routes = [operation.route for operation in operations]
    made = get_openapi(title=TITLE, version="", routes=routes)
    components = made["components"]
    components["schemas"]["Error"] = _ERROR
    components["schemas"]["ApiResponse"]["description"] = "The answer of an operation that has nothing to report."
    document: Schema = {
        "openapi": made["openapi"],
        "info": information(TITLE, DESCRIPTION),
        "servers": SERVERS,
        "security": [{"AccessKey": []}, {}],
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
        "paths": made["paths"],
        "components": {
            "schemas": components["schemas"],
            "parameters": _COMMON_PARAMETERS,
            "headers": _HEADERS,
            "responses": {"Refused": _error("The request was refused."), "Failed": _error("The service failed.")},
            "securitySchemes": _SECURITY,
        },
    }
    for operation in operations:
        described = document["paths"][operation.path][operation.method.lower()]
        document["paths"][operation.path][operation.method.lower()] = _complete(
            described, operation, components["schemas"]
        )
    tidy(document, answers_have_null=False)
    for name, schema in components["schemas"].items():
        _explain(name, schema)
    # Generators of clients need a name such as GetInstanceResponse for the whole response, as the SDKs have it.
    rename_schemas(document, {name: f"{name}Body" for name in components["schemas"] if name.endswith("Response")})
    return document


def _complete(described: Schema, operation: Operation, schemas: dict[str, Schema]) -> Schema:
    """Return the description of an operation, with its parts in reading order."""
    answer = described["responses"]["200"]["content"]["application/json"]["schema"]
    _add_request_id(schemas[answer["$ref"].rpartition("/")[2]])
    common = [{"$ref": f"#/components/parameters/{name}"} for name in _COMMON_PARAMETERS]
    recorded = examples().get(operation.name, {})
    shown = recorded.get("request", {})
    return {
        "tags": described["tags"],
        "summary": operation.name,
        "description": described.get("description", ""),
        "operationId": operation.name,
        "x-evidence": {"kind": operation.evidence.kind, "source": operation.evidence.source},
        "x-writes": operation.writes,
        "parameters": [*(_parameter(each, shown) for each in described.get("parameters", [])), *common],
        **_body(described, operation, schemas, shown),
        "responses": {
            "200": _success(operation, answer, documented(operation.name) or recorded.get("answer", {})),
            **_errors(recorded.get("errors", [])),
            "4XX": {"$ref": "#/components/responses/Refused"},
            "5XX": {"$ref": "#/components/responses/Failed"},
        },
    }


def _parameter(parameter: Schema, request: Mapping[str, Any]) -> Schema:
    """Return a parameter with the example of the request; it is required if a call is refused without it."""
    schema = dict(parameter["schema"])
    described = {**parameter, "schema": schema}
    if parameter["name"] in request:
        schema.pop("examples", None)
        described["example"] = request[parameter["name"]]
    if REFUSED_WITHOUT.items() <= schema.items():
        del schema["x-gateway-required"]
        described |= {"required": True, **REFUSED_WITHOUT}
    return described


def _body(described: Schema, operation: Operation, schemas: dict[str, Schema], request: Mapping[str, Any]) -> Schema:
    """Return the request body, as a form and as JSON, its schema named after the operation."""
    if "requestBody" not in described:
        return {}
    old = described["requestBody"]["content"][_FORM]["schema"]
    schema = schemas.pop((old["$ref"] if "$ref" in old else old["allOf"][0]["$ref"]).rpartition("/")[2])
    members = schema["properties"]
    required = [name for name, member in members.items() if REFUSED_WITHOUT.items() <= member.items()]
    name = f"{operation.name}Request"
    schemas[name] = {
        "type": "object",
        "description": f"The body of {operation.name}.",
        **({"required": required} if required else {}),
        "properties": members,
    }
    shown = {key: value for key, value in request.items() if key in members}
    content = {"schema": {"$ref": f"#/components/schemas/{name}"}, **({"example": shown} if shown else {})}
    return {
        "requestBody": {
            "description": "The SDKs send a form. JSON with the same members is accepted too.",
            "required": bool(required),
            # Generators of clients use the first type, and some of them cannot encode a list as a form.
            "content": {"application/json": content, _FORM: content},
        }
    }


def _success(operation: Operation, answer: Schema, shown: Mapping[str, Any]) -> Schema:
    # The example of XML is a value, because generators take a text for a mistake; x-xml has the text itself.
    example = {"example": shown["json"]} if shown else {}
    text = {"x-xml": shown["xml"]} if shown else {}
    xml = {"allOf": [answer], "xml": {"name": f"{operation.name}Response"}}
    return {
        "description": "The operation succeeded.",
        "headers": _REQUEST_ID_HEADER,
        "content": {
            "application/json": {"schema": answer, **example},
            "text/xml": {"schema": xml, **example, **text},
        },
    }


def _errors(recorded: Sequence[Mapping[str, Any]]) -> Schema:
    """Return the responses of an operation's own errors by status, with an example for each code."""
    statuses = list(dict.fromkeys(error["status"] for error in recorded))
    return {str(status): _error_examples(status, recorded) for status in statuses}


def _error_examples(status: int, recorded: Sequence[Mapping[str, Any]]) -> Schema:
    errors = [error for error in recorded if error["status"] == status]
    response = _error(f"{HTTPStatus(status).phrase}: {', '.join(error['code'] for error in errors)}.")
    shown = {error["code"]: {"summary": error["hint"], "value": error["answer"]} for error in errors}
    for content in response["content"].values():
        content["examples"] = shown
    return response


def _error(description: str) -> Schema:
    error = {"$ref": "#/components/schemas/Error"}
    content: Schema = {"application/json": {"schema": error}, "text/xml": {"schema": error}}
    return {"description": description, "headers": _ERROR_HEADERS, "content": content}


def _add_request_id(schema: Schema) -> None:
    """Give an answer its RequestId, as its first member."""
    schema["properties"] = {"RequestId": REQUEST_ID} | schema.get("properties", {})
    schema["required"] = ["RequestId", *(name for name in schema.get("required", []) if name != "RequestId")]


def _explain(name: str, schema: Schema) -> None:
    """Add the meaning of each member to the schema of an answer."""
    for member, described in schema.get("properties", {}).items():
        text = meaning(name, member)
        if text is not None and "description" not in described:
            # A description beside a reference is valid since OpenAPI 3.1.
            described["description"] = text
