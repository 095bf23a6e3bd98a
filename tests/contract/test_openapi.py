"""The OpenAPI documents: complete, consistent, and true in every example."""

import asyncio
from collections.abc import Iterator
from threading import get_ident
from time import sleep
from typing import Any

import httpx
import jsonschema_rs
import pytest
import yaml

from foas_emulator.control import pages
from foas_emulator.gateway.errors import THROTTLED_USER
from foas_emulator.openapi.document import as_yaml, nodes
from tests.api import Api, open_api
from tests.contract.contract import CONTRACT
from tests.contract.documents import CONTROL, SERVICE

DOCUMENTS = pytest.mark.parametrize("document", [SERVICE, CONTROL], ids=["service", "control"])
OPERATIONS = {operation["operationId"]: operation for item in SERVICE["paths"].values() for operation in item.values()}
each_operation = pytest.mark.parametrize("name", OPERATIONS)
FORMATS = ("application/json", "text/xml")
FORM = "application/x-www-form-urlencoded"
SOMETIMES_REQUIRED = {
    "CommitJob": {"configure", "maxCU"},  # with isOnOff
    "CreateProject": {"clusterId"},  # of the deployType cell
    "GetRawPlanJson": {"expectedCore", "expectedGB"},  # both or none
    "ShrinkCluster": {"instanceIds"},  # without modelTargetCount
    "UntagResources": {"TagKeys"},  # without All
}
"""What a call is refused without only because of another parameter, which no schema says."""


def whole(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema of the service as a document of its own."""
    return {**schema, "components": SERVICE["components"]}


@DOCUMENTS
def test_document_says_what_it_is_and_who_may_use_it_how(document: dict[str, Any]) -> None:
    assert document["info"]["license"]["identifier"] == "Apache-2.0"
    assert document["servers"][0]["url"] == "http://{host}:{port}"
    (scheme,) = document["components"]["securitySchemes"]
    assert document["security"] == [{scheme: []}, {}]
    used = {tag for item in document["paths"].values() for operation in item.values() for tag in operation["tags"]}
    assert used == {tag["name"] for tag in document["tags"]}
    assert all(tag["description"] for tag in document["tags"])


@DOCUMENTS
def test_document_has_no_schema_that_nothing_uses_and_no_union_of_type_names(document: dict[str, Any]) -> None:
    references = {node["$ref"] for node in nodes(document) if "$ref" in node}
    assert references >= {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert not [node for node in nodes(document) if isinstance(node.get("type"), list)]


@DOCUMENTS
def test_document_reads_back_from_its_file(document: dict[str, Any]) -> None:
    text = as_yaml(document)
    assert yaml.safe_load(text) == document
    assert "&id" not in text


@DOCUMENTS
def test_what_a_program_may_leave_out_is_optional_in_types_made_of_the_document(document: dict[str, Any]) -> None:
    """openapi-typescript takes a member with a default as required, and an object of nothing as always empty."""
    schemas = document["components"]["schemas"]
    given = [
        (name, member)
        for name, schema in schemas.items()
        for member, described in schema.get("properties", {}).items()
        if "default" in described and not name.endswith("ResponseBody")
    ]
    assert given == []
    objects = [node for node in nodes(document) if node.get("type") == "object"]
    assert [node for node in objects if not node.keys() & {"properties", "additionalProperties", "oneOf"}] == []


@DOCUMENTS
def test_every_parameter_and_operation_is_described(document: dict[str, Any]) -> None:
    for item in document["paths"].values():
        for operation in item.values():
            assert operation["description"].strip()
            for parameter in operation.get("parameters", []):
                assert "$ref" in parameter or parameter["description"], (operation["operationId"], parameter)


@DOCUMENTS
def test_every_schema_and_every_member_is_described(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    members = [
        (name, member, described)
        for name, schema in schemas.items()
        for member, described in schema.get("properties", {}).items()
    ]
    assert len(members) > 150
    assert [name for name, schema in schemas.items() if not schema.get("description")] == []
    assert [(name, member) for name, member, described in members if not described.get("description")] == []


@DOCUMENTS
def test_variables_of_the_server_have_only_what_every_generator_knows(document: dict[str, Any]) -> None:
    assert all(variable.keys() == {"default"} for variable in document["servers"][0]["variables"].values())


def test_an_error_made_from_its_schema_is_one_that_any_operation_may_answer() -> None:
    members = SERVICE["components"]["schemas"]["Error"]["properties"]
    made = {name: member["examples"][0] for name, member in members.items() if name != "RequestId"}
    assert made["Code"] == "Throttling.User"
    assert made["Message"] == THROTTLED_USER.message
    assert made["Recommend"].endswith(f"Keyword={made['Code']}&source=PopGw")


@DOCUMENTS
def test_every_number_has_its_format(document: dict[str, Any]) -> None:
    numbers = [node for node in nodes(document) if node.get("type") in ("integer", "number")]
    assert numbers
    formats = {"integer": {"int32", "int64"}, "number": {"float", "double"}}
    assert [node for node in numbers if node.get("format") not in formats[node["type"]]] == []
    bounds = [
        node[bound]
        for node in numbers
        for bound in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
        if node["type"] == "integer" and bound in node
    ]
    assert all(-(2**63) <= bound < 2**63 for bound in bounds)  # one beyond the format stops generators


@DOCUMENTS
def test_no_boolean_has_a_constant_that_a_generated_client_takes_for_a_text(document: dict[str, Any]) -> None:
    assert [node for node in nodes(document) if node.get("type") == "boolean" and "const" in node] == []


def test_limits_and_words_are_in_the_schema() -> None:
    parameters = {each["name"]: each["schema"] for each in OPERATIONS["ListJob"]["parameters"] if "name" in each}
    assert (parameters["pageSize"]["minimum"], parameters["pageSize"]["maximum"]) == (1, 100)
    assert (parameters["pageSize"]["default"], parameters["pageIndex"]["minimum"]) == (10, 1)
    (instance_id,) = (
        each["schema"] for each in OPERATIONS["GetInstance"]["parameters"] if each.get("name") == "instanceId"
    )
    assert instance_id["minimum"] == -1
    schemas = SERVICE["components"]["schemas"]
    assert "RUNNING" in schemas["InstanceDetails"]["properties"]["ActualState"]["enum"]
    assert schemas["CreateCellClusterOrderRequest"]["properties"]["masterNum"]["enum"] == [1, 3]


def test_the_service_comes_without_the_control_api() -> None:
    assert all(path.startswith("/api/v2/") for path in SERVICE["paths"])
    assert OPERATIONS.keys() == CONTRACT.keys()
    assert all(path.startswith("/_emulator/") for path in CONTROL["paths"])
    ids = [operation["operationId"] for item in CONTROL["paths"].values() for operation in item.values()]
    assert len(set(ids)) == len(ids)
    assert all(name.isalnum() and len(name) < 25 for name in ids)


@each_operation
def test_an_operation_has_an_example_of_its_answer_in_both_formats(name: str) -> None:
    content = OPERATIONS[name]["responses"]["200"]["content"]
    assert content.keys() == set(FORMATS)
    for answer in content.values():
        jsonschema_rs.validate(whole(answer["schema"]), answer["example"])
    root = content["text/xml"]["schema"]["xml"]["name"]
    prolog, _, members = content["text/xml"]["x-xml"].partition(f"<{root}>")
    assert prolog.strip() == "<?xml version='1.0' encoding='UTF-8'?>"
    assert members.rstrip().endswith(f"</{root}>")


@each_operation
def test_an_operation_shows_its_errors_in_both_formats(name: str) -> None:
    responses = OPERATIONS[name]["responses"]
    own = [response for status, response in responses.items() if status.isdecimal() and status != "200"]
    assert own, "every operation can be refused"
    for response in own:
        as_json, as_xml = (response["content"][media_type] for media_type in FORMATS)
        assert as_json["examples"].keys() == as_xml["examples"].keys()
        for code, example in as_json["examples"].items():
            assert example["summary"]
            assert example["value"]["Code"] == code
            jsonschema_rs.validate(whole(as_json["schema"]), example["value"])


def test_the_body_of_an_answer_has_the_name_that_the_sdks_give_it() -> None:
    """oapi-codegen needs GetInstanceResponse for the whole response."""
    assert [name for name in SERVICE["components"]["schemas"] if name.endswith("Response")] == []
    answer = OPERATIONS["GetInstance"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert answer == {"$ref": "#/components/schemas/GetInstanceResponseBody"}


@each_operation
def test_json_is_the_first_way_to_send_a_body(name: str) -> None:
    """openapi-generator takes the first for Java, and for Python sends JSON whatever is first."""
    body = OPERATIONS[name].get("requestBody", {"content": {"application/json": {}}})
    assert next(iter(body["content"])) == "application/json"


def test_the_documented_failure_of_get_instance_comes_first() -> None:
    _, failure, *_ = OPERATIONS["GetInstance"]["responses"].values()
    assert next(iter(failure["content"]["application/json"]["examples"])) == "InvalidInstance.NotRunning"


@each_operation
def test_the_example_of_a_request_is_valid(name: str) -> None:
    operation = OPERATIONS[name]
    for parameter in operation["parameters"]:
        if "example" in parameter:
            jsonschema_rs.validate(whole(parameter["schema"]), parameter["example"])
    if "requestBody" in operation:
        content = operation["requestBody"]["content"]
        assert content.keys() == {FORM, "application/json"}
        body = content["application/json"]
        jsonschema_rs.validate(whole(body["schema"]), body["example"])


@each_operation
def test_what_a_call_is_refused_without_is_required(name: str) -> None:
    """The examples of errors come from leaving out each parameter of a request that is answered."""
    operation = OPERATIONS[name]
    required = {each["name"] for each in operation["parameters"] if each.get("required") and each["in"] != "path"}
    if "requestBody" in operation:
        schema = SERVICE["components"]["schemas"][f"{name}Request"]
        assert operation["requestBody"]["required"] is bool(schema.get("required"))
        required |= set(schema.get("required", []))
    refused = operation["responses"].get("400", {}).get("content", {}).get("application/json", {}).get("examples", {})
    missing = {code.removeprefix("Missing") for code in refused if code.startswith("Missing")}
    assert missing == required | SOMETIMES_REQUIRED.get(name, set())


@pytest.fixture(scope="module")
def served() -> Iterator[Api]:
    with open_api() as api:
        yield api


@pytest.mark.parametrize(
    ("page", "path", "document", "other"),
    [
        ("/docs", "/openapi.json", SERVICE, "/docs/control"),
        ("/docs/control", "/_emulator/openapi.json", CONTROL, "/docs"),
    ],
)
def test_each_document_is_served_with_a_page_that_links_to_the_other(
    page: str, path: str, document: dict[str, Any], other: str, served: Api
) -> None:
    assert path in served.request("GET", page).text
    assert served.request("GET", f"{page}/").text == served.request("GET", page).text
    answered = served.request("GET", path).json()
    assert answered["paths"] == document["paths"]
    assert answered["servers"][0]["url"] == "http://emulator"
    assert f"({other})" in answered["info"]["description"]


@pytest.mark.parametrize(("path", "made"), [("/openapi.json", "served"), ("/docs", "get_swagger_ui_html")])
def test_two_threads_at_a_time_write_what_many_ask_for(
    path: str, made: str, served: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, at_work, most = getattr(pages, made), set[int](), 0

    def noted(*arguments: Any, **options: Any) -> Any:
        nonlocal most
        at_work.add(get_ident())
        most = max(most, len(at_work))
        sleep(0.01)
        at_work.remove(get_ident())
        return real(*arguments, **options)

    async def ask() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(served.app), base_url="http://localhost") as client:
            answers = await asyncio.gather(*(client.get(path) for _ in range(12)))
            assert {answer.status_code for answer in answers} == {200}

    monkeypatch.setattr(pages, made, noted)
    asyncio.run(ask())
    assert most == 2


def test_the_document_of_the_control_api_needs_no_token() -> None:
    with open_api(control_token="secret") as api:
        assert api.request("GET", "/_emulator/openapi.json").status_code == 200
        assert api.request("GET", "/_emulator/worlds").status_code == 401
