"""Query parameters that a path of the control API does not have."""

import pytest

from tests.control.conftest import Control


@pytest.mark.parametrize(
    ("method", "path", "hint"),
    [
        ("POST", "/clock/advance?dry_run1=true", "'dry_run1' here (the nearest is 'dry_run'). It has dry_run, limit."),
        ("POST", "/clock/advance?dry_run=true&dryRun=true", "'dryRun' here (the nearest is 'dry_run')"),
        ("GET", "/journal?statuss=200", "'statuss' here (the nearest is 'status')"),
        ("GET", "/journal?Limit=1", "'Limit' here (the nearest is 'limit')"),
        ("DELETE", "/faults?id=1", "'id' here. It has none."),
        ("POST", "/reset?dry_run=true", "'dry_run' here. It has none."),
        ("DELETE", "?=", "'' here. It has none."),
    ],
)
def test_an_unknown_query_parameter_is_refused_before_anything_is_done(
    control: Control, method: str, path: str, hint: str
) -> None:
    control.ok("PUT", "/worlds/default/clock", {"mode": "frozen"})
    control.ok("POST", "/worlds/default/faults", {"effect": {"drop": True}}, status=201)
    before = control.send("GET", "/worlds/default/snapshot").content
    body = {"by": "1h"} if "advance" in path else None
    assert f"There is no query parameter {hint}" in control.refused(method, f"/worlds/default{path}", body)
    assert control.send("GET", "/worlds/default/snapshot").content == before


@pytest.mark.parametrize("number", ["%2B5", "1_0", "1.0", "%EF%BC%91", "", "1" * 5000])
def test_a_number_in_a_query_or_a_path_has_plain_digits(control: Control, number: str) -> None:
    queries = (f"journal?{name}={number}" for name in ("limit", "last", "after", "before", "status"))
    for path in (*queries, f"journal/A?number={number}", f"clock?limit={number}"):
        assert "is not a valid integer" in control.refused("GET", f"/worlds/default/{path}")
    if number:
        assert "is not a valid integer" in control.refused("GET", f"/worlds/default/faults/{number}")
        instance = f"/worlds/default/projects/project1/jobs/job1/instances/{number}/state"
        assert "is not a valid integer" in control.refused("PUT", instance, {"ActualState": "FAILED"})


def test_a_query_parameter_in_the_body_is_told_to_be_one(control: Control) -> None:
    heard = control.refused("POST", "/worlds/default/clock/advance", {"by": "1h", "dry_run": True})
    assert "dry_run: there is no such member (there are by, to, until); it is a parameter of the query" in heard


def test_what_is_asked_by_probes_and_credential_chains_may_have_any(control: Control) -> None:
    for path in ("/health", "/worlds/default/credentials"):
        control.ok("GET", f"{path}?at=1")


def test_an_error_repeats_a_part_of_a_long_name(control: Control) -> None:
    answer = control.send("GET", f"/worlds/{'w' * 20_000}/clock")
    assert answer.status_code == 400
    heard = control.send("GET", f"/worlds?{'q' * 20_000}=1")
    assert heard.status_code == 400
    for refusal, longest in ((answer.json(), 300), (heard.json(), 4000)):
        assert longest - 100 < max(len(refusal["error"]), len(refusal["hint"])) <= longest
