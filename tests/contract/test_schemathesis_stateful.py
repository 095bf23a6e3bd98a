"""Calls that build on one another: what one answers is what the next asks for, in any order."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from foas_emulator.main import describe_api
from tests.running import Running, running

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running() as started:
        yield started


def test_no_order_of_calls_leads_outside_the_document(server: Running) -> None:
    schema = schemathesis.openapi.from_dict(describe_api()).include(path_regex="^/api/")
    linked = schema.as_state_machine()
    statuses: list[int] = []

    class Machine(linked):  # type: ignore[misc, valid-type]
        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            (case.query or {}).pop("Format", None)  # XML is held against the document in test_schemathesis
            case.headers = {"accept": "application/json"}
            return {"base_url": f"http://{server.endpoint}"}

        def validate_response(self, response: Any, case: Any, **_: Any) -> None:
            statuses.append(response.status_code)
            case.validate_response(response, checks=CHECKS)

    Machine.run(
        settings=settings(
            max_examples=60,
            stateful_step_count=20,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
    )
    assert statuses.count(200) > 50, "a machine that gets nothing done shows nothing"
