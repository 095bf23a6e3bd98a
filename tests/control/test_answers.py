"""The control API answers what its document says, to the member."""

from typing import Any

import jsonschema_rs
import pytest

from tests.contract.documents import CONTROL as DOCUMENT
from tests.control.conftest import Control
from tests.wire import signed_v1

WORLD = "/worlds/default"
RULE = {"match": {"operation": "StartJob"}, "effect": {"error": "Throttling.User"}}
INSTANCE = "/api/v2/projects/project1/jobs/job1/instances/412536"
CALLS: list[tuple[str, str, str, Any, int]] = [
    ("GET", "/health", "/health", None, 200),
    ("GET", "/info", "/info", None, 200),
    ("GET", "/worlds", "/worlds", None, 200),
    ("POST", "/reset", "/reset", None, 200),
    ("PUT", "/worlds/{world}", "/worlds/new", None, 201),
    ("PUT", "/worlds/{world}", WORLD, {"seed": "default"}, 200),
    ("POST", "/worlds/{world}/reset", f"{WORLD}/reset", None, 200),
    ("GET", "/worlds/{world}/snapshot", f"{WORLD}/snapshot", None, 200),
    ("GET", "/worlds/{world}/credentials", f"{WORLD}/credentials", None, 200),
    ("GET", "/interception", "/interception", None, 404),
    ("GET", "/worlds/{world}/settings", f"{WORLD}/settings", None, 200),
    ("PUT", "/worlds/{world}/settings", f"{WORLD}/settings", {"start_delay": "2s"}, 200),
    ("GET", "/worlds/{world}/clock", f"{WORLD}/clock", None, 200),
    ("PUT", "/worlds/{world}/clock", f"{WORLD}/clock", {"mode": "frozen"}, 200),
    ("POST", "/worlds/{world}/clock/advance", f"{WORLD}/clock/advance", {"by": "30s"}, 200),
    ("POST", "/worlds/{world}/clock/advance", f"{WORLD}/clock/advance?dry_run=true", {"by": "30s"}, 200),
    ("POST", "/worlds/{world}/faults", f"{WORLD}/faults", RULE, 201),
    ("GET", "/worlds/{world}/faults", f"{WORLD}/faults", None, 200),
    ("GET", "/worlds/{world}/faults/{rule_id}", f"{WORLD}/faults/1", None, 200),
    ("GET", "/worlds/{world}/journal", f"{WORLD}/journal", None, 200),
    ("POST", "/worlds/{world}/journal/verify", f"{WORLD}/journal/verify", {"operation": "GetInstance"}, 200),
    ("GET", "/coverage", "/coverage", None, 200),
    ("GET", "/worlds/{world}/clock", "/worlds/missing/clock", None, 404),
    ("POST", "/worlds/{world}/journal/verify", f"{WORLD}/journal/verify", {"operation": "StartJob"}, 422),
    ("GET", "/worlds/{world}/events", "/worlds/missing/events", None, 404),
    ("POST", "/worlds/{world}/seed", f"{WORLD}/seed", {"projects": [{}]}, 400),
    ("PUT", "/worlds/{world}/clock", f"{WORLD}/clock", {"mode": "slow"}, 400),
]


@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call[0]}-{call[1]}-{call[4]}")
def test_an_answer_has_the_form_that_the_document_gives_it(
    call: tuple[str, str, str, Any, int], control: Control
) -> None:
    method, template, path, body, status = call
    control.ok("POST", f"{WORLD}/faults", RULE, status=201)
    for target in (INSTANCE, "/api/v2/nothing", "/api/v2/projects?Unread=1"):
        control.api.request("GET", target)
    answer = control.send(method, path, body)
    assert answer.status_code == status, answer.text
    check_form(answer.json(), method, template, status)


@pytest.mark.parametrize("headers", [{}, {"x-acs-extra": "late"}], ids=["right", "wrong"])
def test_the_entry_of_a_call_has_the_form_that_the_document_gives_it(headers: dict[str, str], control: Control) -> None:
    signed = signed_v1(headers={"accept": "application/json"})
    call = control.api.request("GET", INSTANCE, headers={**signed, **headers})
    entry = control.ok("GET", f"{WORLD}/journal/{call.headers['x-acs-request-id']}")
    assert ("signature_check" in entry) is bool(headers)
    check_form(entry, "GET", "/worlds/{world}/journal/{request_id}", 200)


def check_form(document: Any, method: str, template: str, status: int) -> None:
    """Hold an answer against what the document says of it."""
    responses = DOCUMENT["paths"][f"/_emulator{template}"][method.lower()]["responses"]
    described = responses.get(str(status)) or responses[f"{status // 100}XX"]
    schema = described["content"]["application/json"]["schema"]
    jsonschema_rs.validate({**schema, "components": DOCUMENT["components"]}, document)


def test_every_answer_with_a_body_has_a_name() -> None:
    for path, item in DOCUMENT["paths"].items():
        for operation in item.values():
            for status, response in operation["responses"].items():
                content = response.get("content", {})
                assert content or status == "204", (path, status)
                if "application/json" in content:
                    assert "$ref" in content["application/json"]["schema"], (path, status)
