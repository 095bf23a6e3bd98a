"""Numbers and texts at their edges, in every place that takes one: a clear refusal or an answer, never a failure."""

import json
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from click.testing import CliRunner

from foas_emulator.cli import main
from foas_emulator.gateway.parameters import declared_parameters
from foas_emulator.operations.catalogue import OPERATIONS
from foas_emulator.settings import DURATION, options
from tests.api import Api, open_api
from tests.operations import building

NUMBERS = ["9" * 400, "9223372036854775807", "9223372036854775808", "-9223372036854775809", "9" * 30, "1e30", "1e200"]
NUMBERS += ["1e999", "NaN", "Infinity", "-1", "0", "1.5", "253402300799999", "4611686018427387904"]
TEXTS = ["", "x" * 5000, "\\ud800", "\\udc00a", "\\u0000", "\u202e", "*" * 300, "[" * 300]
JSON_VALUES = [*NUMBERS, *(f'"{number}"' for number in NUMBERS), *(f'"{text}"' for text in TEXTS)]
JSON_VALUES += ['"' + "9" * 400 + 's"', '"1e30s"', '"NaNs"', "null", "true", "[]", "{}", "[" * 100_000]


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    with open_api() as opened:
        yield opened


def told(api: Api, method: str, path: str, body: str | None = None, **headers: str) -> tuple[int, str]:
    """Status and hint of the answer, which is no failure and says why if it is a refusal."""
    response = api.request(method, path, content=body, headers=headers)
    assert response.status_code < 500, (method, path, (body or "")[:200], response.text)
    if response.status_code < 400:
        return response.status_code, ""
    hint = response.headers.get("x-emulator-hint") or response.json()["hint"]
    assert hint
    if path.startswith("/_emulator"):
        assert len(hint) <= 4000, "a refusal does not repeat what is too long"
    return response.status_code, hint


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_every_parameter_of_every_operation_at_its_edges(api: Api, operation: Any) -> None:
    known = {"projectName": "project1", "jobName": "job1", "instanceId": "-1", "clusterId": "rcmp9x37ztfb63g1x7lt****"}
    declared = declared_parameters(operation.endpoint)
    for parameter in declared:
        for value in [*NUMBERS, "\x00", "x" * 5000, "\u202e"]:
            path, pairs = operation.path, []
            for each in declared:
                given = value if each is parameter else known.get(each.name)
                if each.place == "path":
                    path = path.replace("{" + each.name + "}", quote(given or "x", safe=""))
                elif given is not None:
                    pairs.append(f"{each.name}={quote(given, safe='')}")
            joined = "&".join(pairs)
            if operation.method in ("GET", "DELETE"):
                told(api, operation.method, f"{path}?{joined}")
            else:
                told(api, operation.method, path, joined, **{"content-type": "application/x-www-form-urlencoded"})


W = "/_emulator/worlds/edges"
TIMELINE = """{"projects": [{"Name": "p", "jobs": [
{"JobName": "j", "instances": [{"timeline": [{"after": %s, "ActualState": "FAILED"}]}]}]}]}"""
BODIES = [
    ("PUT", f"{W}/clock", '{"now": %s}'),
    ("PUT", f"{W}/clock", '{"mode": %s}'),
    ("POST", f"{W}/clock/advance", '{"by": %s}'),
    ("POST", f"{W}/clock/advance", '{"to": %s}'),
    ("POST", f"{W}/clock/advance", '{"until": %s}'),
    ("PUT", f"{W}/settings", '{"start_delay": %s}'),
    ("PUT", f"{W}/settings", '{"batch_duration": %s}'),
    ("PUT", f"{W}/settings", '{"not_running": %s}'),
    ("PUT", f"{W}/settings", '{"error_overrides": %s}'),
    ("PUT", f"{W}/settings", '{"error_overrides": {"InvalidInstance.NotRunning": {"status": %s}}}'),
    ("PUT", f"{W}/settings", '{"error_overrides": {"InvalidInstance.NotRunning": {"code": %s}}}'),
    ("PUT", f"{W}/projects/project1/jobs/job1/instances/412536/state", '{"ActualState": %s}'),
    (
        "PUT",
        f"{W}/projects/project1/jobs/job1/instances/412536/state",
        '{"ActualState": "FAILED", "LastErrorMessage": %s}',
    ),
    ("POST", f"{W}/faults", '{"effect": {"latency": %s}}'),
    ("POST", f"{W}/faults", '{"effect": {"latency": ["1s", %s]}}'),
    ("POST", f"{W}/faults", '{"effect": {"truncate": %s}}'),
    ("POST", f"{W}/faults", '{"effect": {"error": %s}}'),
    ("POST", f"{W}/faults", '{"effect": {"status": %s, "code": "x"}}'),
    ("POST", f"{W}/faults", '{"effect": {"status": 500, "code": %s}}'),
    ("POST", f"{W}/faults", '{"effect": {"rate_limit": {"calls": %s, "per": "1s"}}}'),
    ("POST", f"{W}/faults", '{"effect": {"rate_limit": {"calls": 1, "per": %s}}}'),
    ("POST", f"{W}/faults", '{"effect": {"drop": true}, "ttl": %s}'),
    ("POST", f"{W}/faults", '{"effect": {"drop": true}, "skip": %s}'),
    ("POST", f"{W}/faults", '{"effect": {"drop": true}, "times": %s}'),
    ("POST", f"{W}/faults", '{"effect": {"drop": true}, "probability": %s}'),
    ("POST", f"{W}/faults", '{"effect": {"drop": true}, "match": {"operation": %s}}'),
    ("POST", f"{W}/faults", '{"effect": {"drop": true}, "match": {"operation": "GetJob", "params": {"jobName": %s}}}'),
    ("POST", f"{W}/journal/verify", '{"count": {"exactly": %s}}'),
    ("POST", f"{W}/journal/verify", '{"operation": %s}'),
    ("POST", f"{W}/journal/verify", '{"status": %s}'),
    ("POST", f"{W}/journal/verify", '{"within": %s}'),
    ("POST", f"{W}/journal/verify", '{"backoff": {"min": %s}}'),
    ("POST", f"{W}/journal/verify", '{"backoff": {"min": "1s", "factor": %s}}'),
    ("POST", f"{W}/journal/verify", '{"in_order": [%s]}'),
    ("POST", f"{W}/seed", '{"projects": %s}'),
    ("POST", f"{W}/seed", '{"projects": [{"Name": %s}]}'),
    ("POST", f"{W}/seed", '{"projects": [{"Name": "p", "CreateTime": %s}]}'),
    ("POST", f"{W}/seed", '{"projects": [{"Name": "p", "folders": [{"Path": "/a", "FolderId": %s}]}]}'),
    ("POST", f"{W}/seed", '{"projects": [{"Name": "p", "queues": [{"QueueName": "q", "MaxVCore": %s}]}]}'),
    ("POST", f"{W}/seed", '{"projects": [{"Name": "p", "jobs": [{"JobName": "j", "instances": [{"Id": %s}]}]}]}'),
    ("POST", f"{W}/seed", TIMELINE),
    ("POST", f"{W}/seed", '{"clusters": [{"ClusterId": "c", "slave_num": %s}]}'),
    ("POST", f"{W}/seed", '{"faults": [{"id": %s, "effect": {"drop": true}}]}'),
    ("POST", f"{W}/seed", '{"settings": {"start_delay": %s}}'),
    ("PUT", W, '{"seed": %s}'),
    ("PUT", W, '{"fork": %s}'),
    ("PUT", W, '{"snapshot": %s}'),
    ("PUT", W, '{"seed": {"settings": {"start_delay": %s}}}'),
    ("PUT", f"{W}/snapshot", '{"snapshot_version": %s, "tables": {}}'),
    ("PUT", f"{W}/snapshot", '{"snapshot_version": 1, "tables": %s}'),
]


@pytest.mark.parametrize(
    ("method", "path", "template"), BODIES, ids=[f"{path[18:]} {body}" for _, path, body in BODIES]
)
def test_every_member_of_every_control_body_at_its_edges(api: Api, method: str, path: str, template: str) -> None:
    api.registry.create_or_replace("edges")
    for value in JSON_VALUES:
        told(api, method, path, template.replace("%s", value))
    for follow_up in ("clock", "settings", "faults", "snapshot"):
        told(api, "GET", f"{W}/{follow_up}")
    api.request("DELETE", f"{W}/faults")
    told(api, "GET", "/api/v2/projects", **{"x-emulator-world": "edges"})


@pytest.mark.parametrize(
    "path",
    [
        f"{W}/faults/%s",
        f"{W}/journal?after=%s",
        f"{W}/journal?limit=%s",
        f"{W}/journal?status=%s",
        f"{W}/journal/%s",
        "/_emulator/worlds/%s/clock",
    ],
)
def test_every_parameter_of_the_control_api_at_its_edges(api: Api, path: str) -> None:
    for value in [*NUMBERS, "x" * 5000, "\u202e"]:
        told(api, "GET", path.replace("%s", quote(value, safe="")))


def test_every_instance_id_of_the_control_api_at_its_edges(api: Api) -> None:
    for value in NUMBERS:
        path = f"{W}/projects/project1/jobs/job1/instances/{value}/state"
        told(api, "PUT", path, '{"ActualState": "RUNNING"}')


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/yaml", "a: &a [x,x,x]\nb: &b [" + ",".join(["*a"] * 90_000) + "]\nprojects: *b\n"),
        ("application/yaml", "projects: &again\n- *again\n"),
        ("application/yaml", "seed: &again {projects: *again}\n"),
        ("application/yaml", "a: !!set {x}\n"),
        ("application/yaml", "- - - " * 100),
        ("application/json", "[" * 100_000),
        ("application/json", '{"a": 1, "a": 2}'),
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", W), ("PUT", f"{W}/snapshot"), ("POST", f"{W}/seed"), ("POST", f"{W}/faults"), ("PUT", f"{W}/settings")],
)
def test_documents_without_bounds_are_refused_on_every_way_in(
    api: Api, method: str, path: str, content_type: str, body: str
) -> None:
    status, _ = told(api, method, path, body, **{"content-type": content_type})
    assert status == 400


def test_bodies_may_be_yaml_wherever_they_are_read(api: Api) -> None:
    api.registry.create_or_replace("edges")
    yaml = {"content-type": "application/yaml"}
    assert told(api, "PUT", f"{W}/settings", "start_delay: 30s\n", **yaml) == (200, "")
    assert told(api, "POST", f"{W}/faults", "effect: {drop: true}\n", **yaml) == (201, "")
    assert told(api, "PUT", f"{W}/clock", "mode: frozen\n", **yaml) == (200, "")
    assert api.registry.open_or_create("edges").settings.start_delay == 30_000


def test_what_nobody_foresaw_is_answered_and_logged_once(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("foas_emulator.control.settings._show", lambda _: 1 / 0)
    with caplog.at_level(logging.ERROR):
        response = api.request("GET", f"{W}/settings")
    document = response.json()
    assert response.status_code == 500
    assert set(document) == {"error", "hint", "request_id"}
    assert document["request_id"] in document["hint"]
    (record,) = caplog.records
    assert record.exc_info is not None
    assert document["request_id"] in record.getMessage()


_DURATIONS = [option for option in options() if option.type is DURATION]


@pytest.mark.parametrize("option", options(), ids=lambda option: option.name)
@pytest.mark.parametrize("value", ["9" * 400, "9" * 30, "1e200", "NaN"])
def test_every_setting_at_its_edges_by_flag_and_by_variable(option: Any, value: str) -> None:
    """A number that a setting takes is one it can hold; any other is refused in one line that names the setting."""
    if option in _DURATIONS:
        with pytest.raises(Exception, match="duration"):
            option.type.convert(value, option, None)
    runner = CliRunner(env={option.envvar: value} if not option.is_flag else {})
    # `--port 70000` refuses to start whatever the setting under test says, so that nothing is served.
    result = runner.invoke(main, ["serve", "--port", "70000"])
    assert result.exit_code == 2
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert "Traceback" not in result.output


@pytest.mark.parametrize("value", JSON_VALUES[:-1])
def test_json_values_of_this_page_are_read_or_refused_by_the_snapshot_of_settings(api: Api, value: str) -> None:
    """Settings of a world inside a snapshot are a text of JSON, which takes numbers that no document may hold."""
    api.registry.create_or_replace("edges")
    snapshot = api.request("GET", f"{W}/snapshot").json()
    snapshot["tables"]["world"][0]["settings"] = f'{{"start_delay": {value}}}'
    told(api, "PUT", f"{W}/snapshot", json.dumps(snapshot))
    assert api.request("GET", f"{W}/settings").status_code == 200


HALVES = [r'"\ud800"', r'["\ud800"]', r'{"\udc00": "\ud800", "fetch_delay": 1, "startOffset": "1"}']
HALVES += [
    r'{"queries": [{"metric": "rcmp9x37ztfb63g1x7lt****.system.\ud800"}]}',
    r'{"nodes": [{"id": 1, "type": "\ud800"}]}',
]


@pytest.mark.parametrize("text", HALVES)
def test_half_of_a_surrogate_pair_in_json_within_a_parameter(text: str) -> None:
    """Each text in every parameter at once with the others as they should be, and in what is read afterwards."""
    job, cluster = "/api/v2/projects/project1/jobs/job1", "/api/v2/clusters/rcmp9x37ztfb63g1x7lt****"
    form = {"content-type": "application/x-www-form-urlencoded"}
    given = quote(text, safe="")
    with open_api() as api:
        for method, path, pairs in (
            ("POST", "/api/v2/cluster/tags", f"ResourceIds=rcmp9x37ztfb63g1x7lt****&Tags={given}"),
            ("POST", "/api/v2/cluster/tags", f"ResourceIds={given}&Tags=a"),
            ("GET", f"/api/v2/cluster/tags?ResourceIds={given}", ""),
            ("GET", f"/api/v2/cluster/tags?Tags={given}", ""),
            ("DELETE", f"/api/v2/cluster/tags?ResourceIds=x&TagKeys={given}", ""),
            ("PUT", f"{cluster}/expand", f"count=9&userVSwitch={given}"),
            ("PUT", f"{cluster}/shrink", f"modelTargetCount={given}"),
            ("POST", f"{cluster}/metrics", f"metricJson={given}"),
            ("POST", f"{job}/metric", f"metricJson={given}"),
            ("PUT", f"{job}/instance/-1/autoscale/config", f"configJson={given}"),
            ("PUT", job, f"planJson={given}&properties={given}&packages={given}"),
            ("PUT", job, f"planJson={given}&properties={given}"),
            ("PUT", f"{job}/commit", f"isOnOff=true&maxCU=10&configure={given}"),
            ("PUT", f"{job}/commit", f"isOnOff=true&maxCU=10&configure=%7Bfetch_delay%3A1%7D&suspendPeriods={given}"),
            ("PUT", f"{job}/commit", ""),
            ("PUT", f"{job}/instances/-1/expectstate", "expectState=TERMINATED"),
            ("POST", f"{job}/instance", f"parameterJson={given}"),
            ("POST", f"{job}/instance", ""),
            *(("GET", f"{job}/instances/-1{path}", "") for path in ("", "/details", "/config", "/checkpoints")),
        ):
            told(api, method, path, pairs or None, **(form if pairs else {}))


def test_a_world_in_memory_that_is_full_says_so_and_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    with open_api() as api:
        building.project_with_queue(api)
        raw = api.world.store._raw
        raw.execute(f"PRAGMA max_page_count = {raw.execute('PRAGMA page_count').fetchone()[0] + 50}")
        job: dict[str, Any] = {"projectName": "p", "jobName": "j", "jobType": "FLINK_STREAM", "apiType": "SQL"}
        refused = api.call("CreateJob", **job | {"code": "x" * 1_000_000})
        assert (refused.status, refused.code) == (503, "ServiceUnavailable")
        assert refused.hint.startswith("The world is full: one in memory holds a gibibyte; delete")
        assert [record.levelname for record in caplog.records] == ["WARNING"]  # a flood of calls may meet it
        api.ok("CreateJob", **job | {"code": "SELECT 1"})
