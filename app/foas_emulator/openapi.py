"""The OpenAPI document, made from the declarations when it is asked for."""

from collections.abc import Sequence
from typing import Any

import yaml
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from foas_emulator.gateway.routes import OperationRoute


def describe(app: FastAPI, routes: Sequence[OperationRoute]) -> dict[str, Any]:
    """The document of the operations and of the emulator's own routes."""
    return get_openapi(title=app.title, version=app.version, routes=[*routes, *app.routes])


def as_yaml(document: dict[str, Any]) -> str:
    """The document as the committed file has it."""
    return yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=120)
