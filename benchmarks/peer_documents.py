"""The configuration of each peer that makes it answer GetInstance with the same document as the emulator."""

import json
from typing import Any

from benchmarks.traffic import INSTANCE_PATH

Document = dict[str, Any]

_TEMPLATE = "/api/v2/projects/{projectName}/jobs/{jobName}/instances/{instanceId}"
_PARAMETERS = [
    {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
    for name in ("projectName", "jobName", "instanceId")
]


def openapi(document: Document) -> Document:
    """For Prism: an OpenAPI document with one operation and the answer as its example."""
    content = {"application/json": {"schema": {"type": "object"}, "example": document}}
    operation = {"parameters": _PARAMETERS, "responses": {"200": {"description": "OK", "content": content}}}
    return {"openapi": "3.0.3", "info": {"title": "foas", "version": "1"}, "paths": {_TEMPLATE: {"get": operation}}}


def stripe_spec(document: Document) -> Document:
    """For stripe-mock: the operation, answering a resource of which the fixtures hold one."""
    schema = {
        "type": "object",
        "x-resourceId": "instance",
        "properties": {
            "RequestId": {"type": "string"},
            "Instance": {
                "type": "object",
                "properties": {name: _stripe_type(document, name) for name in document["Instance"]},
            },
        },
    }
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/instance"}}}
    operation = {"parameters": _PARAMETERS, "responses": {"200": {"description": "OK", "content": content}}}
    return {
        "info": {"version": "1"},
        "components": {"schemas": {"instance": schema}},
        "paths": {_TEMPLATE: {"get": operation}},
    }


def _stripe_type(document: Document, name: str) -> Document:
    return {"type": "integer" if isinstance(document["Instance"][name], int) else "string"}


def stripe_fixtures(document: Document) -> Document:
    """For stripe-mock: the one resource."""
    return {"resources": {"instance": document}}


def wiremock_stub(document: Document) -> Document:
    """For WireMock: one stub that matches the path without its query."""
    response = {
        "status": 200,
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps(document, ensure_ascii=False),
    }
    return {"request": {"method": "GET", "urlPath": INSTANCE_PATH}, "response": response}


def mockoon_environment(document: Document) -> Document:
    """For Mockoon: one route with one response."""
    response = {
        "uuid": "00000000-0000-4000-8000-000000000003",
        "body": json.dumps(document, ensure_ascii=False),
        "latency": 0,
        "statusCode": 200,
        "label": "",
        "headers": [{"key": "Content-Type", "value": "application/json"}],
        "bodyType": "INLINE",
        "filePath": "",
        "databucketID": "",
        "sendFileAsBody": False,
        "rules": [],
        "rulesOperator": "OR",
        "disableTemplating": True,
        "fallbackTo404": False,
        "default": True,
        "crudKey": "id",
        "callbacks": [],
    }
    route = {
        "uuid": "00000000-0000-4000-8000-000000000002",
        "type": "http",
        "documentation": "",
        "method": "get",
        "endpoint": _TEMPLATE.replace("{", ":").replace("}", "").lstrip("/"),
        "responses": [response],
        "responseMode": None,
        "streamingMode": None,
        "streamingInterval": 0,
    }
    return {
        "uuid": "00000000-0000-4000-8000-000000000001",
        "lastMigration": 33,
        "name": "foas",
        "port": 3000,
        "hostname": "127.0.0.1",
        "endpointPrefix": "",
        "latency": 0,
        "folders": [],
        "routes": [route],
        "rootChildren": [{"type": "route", "uuid": route["uuid"]}],
        "proxyMode": False,
        "proxyHost": "",
        "proxyRemovePrefix": False,
        "tlsOptions": {
            "enabled": False,
            "type": "CERT",
            "pfxPath": "",
            "certPath": "",
            "keyPath": "",
            "caPath": "",
            "passphrase": "",
        },
        "cors": False,
        "headers": [],
        "proxyReqHeaders": [],
        "proxyResHeaders": [],
        "data": [],
        "callbacks": [],
    }


def json_server_database(document: Document) -> Document:
    """For json-server: one collection with the document in it."""
    return {"instances": [{"id": document["Instance"]["Id"], **document}]}


def json_server_routes() -> Document:
    """For json-server: the path of the service, mapped to that collection."""
    return {_TEMPLATE.replace("{", ":").replace("}", ""): "/instances/:instanceId"}
