"""Generated requests, valid and not, against a running server: no 5xx, and no answer outside our own document."""

import json
from collections.abc import Iterator
from typing import Any, get_type_hints

import httpx
import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode

from tests.api import BY_NAME, read_members
from tests.contract.documents import SERVICE as DOCUMENT
from tests.running import Running, running

SCHEMA = schemathesis.openapi.from_dict(DOCUMENT).include(path_regex="^/api/")
OPERATIONS = {
    found.ok().definition.raw["operationId"]: found.ok()
    for found in SCHEMA.get_all_operations()
    if isinstance(found, Ok)
}
MEDIA_TYPES = {"application/json;charset=utf-8": "application/json", "text/xml;charset=utf-8": "text/xml"}
THERE_IS = {
    "projectName": "demo",
    "jobName": "running-stream",
    "instanceId": -1,
    "clusterId": "demo4b0v6t1kq8y2w7x5z3ca",
    "packageName": "clicks-1.2.jar",
}
"""What the default seed holds, for the half of the requests that are to find something."""


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running() as started:
        yield started


def described(operation: str, status: int, media_type: str) -> dict[str, Any]:
    """The schema of an answer, as a document of its own."""
    answers = OPERATIONS[operation].definition.raw["responses"]
    answer = answers.get(str(status)) or answers[f"{status // 100}XX"]
    if "$ref" in answer:
        answer = DOCUMENT["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    return {**answer["content"][media_type]["schema"], "components": DOCUMENT["components"]}


def heard(operation: str, response: Any) -> tuple[httpx.Response, Any]:
    """An answer, and its members with the types of the answer model."""
    headers = [(name, value) for name, values in response.headers.items() for value in values]
    answer = httpx.Response(response.status_code, headers=headers, content=response.content)
    return answer, read_members(answer, get_type_hints(BY_NAME[operation].endpoint)["return"])


def test_document_has_all_operations() -> None:
    assert OPERATIONS.keys() == BY_NAME.keys()


@pytest.mark.parametrize("operation", sorted(BY_NAME))
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: mode.value)
def test_every_answer_is_one_that_the_document_describes(operation: str, mode: GenerationMode, server: Running) -> None:
    world = f"{operation.lower()}-{mode.value}"

    @settings(
        max_examples=10,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=OPERATIONS[operation].as_strategy(generation_mode=mode), finds=st.booleans())
    def check(case: Any, finds: bool) -> None:  # noqa: FBT001 - hypothesis gives it
        for name in ("Format", "format"):  # the latter is one of those that the document does not have
            (case.query or {}).pop(name, None)
        if finds:
            case.path_parameters = {
                name: THERE_IS.get(name, value) for name, value in (case.path_parameters or {}).items()
            }
        for format_ in ("json", "xml"):
            case.headers = {"accept": f"application/{format_}", "x-emulator-world": world}
            answer, members = heard(operation, case.call(base_url=f"http://{server.endpoint}"))
            assert answer.status_code < 500, answer.text
            media_type = MEDIA_TYPES[answer.headers["content-type"]]
            assert media_type.endswith(format_)
            schema = described(operation, answer.status_code, media_type)
            jsonschema_rs.validate(schema, json.loads(json.dumps(members)))

    check()
