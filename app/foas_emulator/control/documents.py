"""Bodies that may be JSON or YAML, and answers that may be either."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import yaml
from fastapi import Request, Response

from foas_emulator.control.errors import ControlError

YAML = "application/yaml"


def described_body(schema: Mapping[str, Any], **examples: Any) -> dict[str, Any]:
    """What the OpenAPI document says of a body that an endpoint reads by itself."""
    shown = {name.replace("_", " "): {"value": value} for name, value in examples.items()}
    content = {"schema": dict(schema), "examples": shown}
    return {"requestBody": {"content": {"application/json": content, YAML: content}}}


ANY_OBJECT: Mapping[str, Any] = MappingProxyType({"type": "object"})


def is_yaml(request: Request) -> bool:
    return "yaml" in request.headers.get("content-type", "")


def parse_document(text: bytes, *, as_yaml: bool) -> Any:
    """The value of a JSON or YAML text; None if it is empty. Raises `ControlError`."""
    if not text.strip():
        return None
    try:
        return yaml.load(text, yaml.CSafeLoader) if as_yaml else json.loads(text)
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        language = "YAML" if as_yaml else "JSON"
        raise ControlError(400, f"The body is not {language}.", f"{error}") from None


def wants_yaml(request: Request) -> bool:
    return "yaml" in request.headers.get("accept", "")


def yaml_response(document: Any) -> Response:
    text = yaml.dump(document, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=120)
    return Response(text, media_type=YAML)
