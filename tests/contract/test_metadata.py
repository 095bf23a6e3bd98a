"""The OpenAPI document of the service has the names, types, formats and members of the service's own metadata."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml

from tests.contract.contract import HERE
from tests.contract.documents import SERVICE as DOCUMENT

METADATA: Mapping[str, Mapping[str, Any]] = yaml.safe_load((HERE / "metadata.yaml").read_text("utf-8"))
SCHEMAS = DOCUMENT["components"]["schemas"]
DESCRIBED = {
    operation["operationId"]: (f"{method.upper()} {path}", operation)
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
}
FORM = "application/x-www-form-urlencoded"
OURS = {"Format", "x-emulator-world"}
"""What every operation has beside the parameters of its own."""

WITHOUT_METADATA = {
    "GetInstanceVertexTaskManagers": "only the PHP SDK has it",
    "GetPackage": "the SDKs and its help page have it",
}
_SISTERS = "the metadata has no parameters for it; these are those of its sisters"
MORE_PARAMETERS = {"TagResources": dict.fromkeys(("ResourceType", "ResourceIds", "Tags"), _SISTERS)}
"""Parameters that the document has and the metadata has not, with the reason."""

MORE_MEMBERS = {"ListJob": {"Jobs.Job[].FileId": "GetJob has it"}}
"""Members of answers that the document has and the metadata has not, with the reason."""


def test_every_operation_of_the_metadata_is_there_and_others_have_a_reason() -> None:
    assert METADATA.keys() <= DESCRIBED.keys()
    assert DESCRIBED.keys() - METADATA.keys() == WITHOUT_METADATA.keys()


@pytest.mark.parametrize("name", METADATA)
def test_method_and_path_are_those_of_the_metadata(name: str) -> None:
    assert DESCRIBED[name][0] == METADATA[name]["call"]


@pytest.mark.parametrize("name", METADATA)
def test_parameters_are_those_of_the_metadata(name: str) -> None:
    described = dict(_parameters(DESCRIBED[name][1]))
    more = MORE_PARAMETERS.get(name, {})
    assert {each: text for each, text in described.items() if each not in more} == METADATA[name].get("parameters", {})
    assert more.keys() <= described.keys()


@pytest.mark.parametrize("name", METADATA)
def test_members_of_the_answer_are_those_of_the_metadata(name: str) -> None:
    answer = DESCRIBED[name][1]["responses"]["200"]["content"]["application/json"]["schema"]
    described = dict(_members(answer))
    more = MORE_MEMBERS.get(name, {})
    assert {each: text for each, text in described.items() if each not in more} == METADATA[name]["answer"]
    assert more.keys() <= described.keys()


def _parameters(operation: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each parameter with place, type and `!` if the gateway requires it, as the metadata has it."""
    for parameter in operation["parameters"]:
        if "$ref" not in parameter:
            assert parameter["name"] not in OURS
            needed = parameter["required"] and parameter.get("x-gateway-required", True)
            yield parameter["name"], f"{parameter['in']} {_kind(parameter['schema'])}{'!' if needed else ''}"
    if "requestBody" in operation:
        body = _resolved(operation["requestBody"]["content"][FORM]["schema"])
        for name, schema in body["properties"].items():
            needed = name in body.get("required", []) and schema.get("x-gateway-required", True)
            yield name, f"formData {_kind(schema)}{'!' if needed else ''}"


def _members(schema: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """Yield the path of each member that has no members of its own, with its type or format."""
    schema = _resolved(schema)
    if schema.get("type") == "array":
        yield from _members(schema["items"], f"{path}[]")
    elif "properties" in schema:
        for name, member in schema["properties"].items():
            yield from _members(member, f"{path}.{name}" if path else name)
    else:
        yield path, "map" if schema.get("type") == "object" else _kind(schema)


def _kind(schema: Mapping[str, Any]) -> str:
    return str(schema.get("format") or schema["type"])


def _resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" in schema:
        found: Mapping[str, Any] = SCHEMAS[schema["$ref"].rpartition("/")[2]]
        return found
    return schema
