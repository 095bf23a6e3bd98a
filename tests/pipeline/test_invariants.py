"""Promises that ARCHITECTURE.md lists under Invariants and that no other test keeps: over all operations that read."""

import asyncio
import json
import logging
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from foas_emulator.gateway.formats import ApiResponse, render
from foas_emulator.gateway.operation import Operation
from foas_emulator.gateway.parameters import declared_parameters
from foas_emulator.operations.catalogue import OPERATIONS
from foas_emulator.operations.instances import service
from foas_emulator.pipeline.cache_reads import VARY_HEADERS
from foas_emulator.pipeline.context import RequestContext
from foas_emulator.pipeline.dispatcher import Dispatcher
from foas_emulator.pipeline.response_cache import BYPASS_HEADERS
from foas_emulator.world.ids import Counter
from foas_emulator.world.store import WriteOutsideTransactionError
from foas_emulator.world.world import World
from tests.api import Api, dump, open_api
from tests.machine_clock import MachineClock
from tests.wire import ask, signed_v1, signed_v3

READING = [operation for operation in OPERATIONS if not operation.writes]
QUERY = '{{"queries":[{{"metric":"{}","granularity":"20s","downsample":"20s-avg","aggregator":"max"}}]}}'

SHOW_THE_TIME = {
    "GetClusterMetrics",
    "GetInstanceCheckpoint",
    "GetInstanceDetail",
    "GetInstanceMetric",
    "GetInstanceVertexTaskManagers",
}
"""Operations whose response about something that runs is another one at another time."""
LOOK_AT_A_RUN = {"GetInstanceConfig", "GetInstanceExceptions"}
"""Operations that look at a run as it is now and return nothing of it that changes: not cached, which is safe."""


def examples(api: Api, operation: Operation) -> dict[str, Any]:
    """Parameters with which an operation finds something in the default world, where it has it."""
    job = {"projectName": "project1", "jobName": "job1", "instanceId": -1}
    cluster = api.ok("GetProject", projectName="project1")["Project"]["ClusterId"]
    detail = json.loads(api.ok("GetInstanceDetail", **job)["Detail"])
    metric = f"{cluster}.system.mem.memtotal" if operation.name == "GetClusterMetrics" else "blink.project1.job1.delay"
    known = {
        **job,
        "clusterId": cluster,
        "jobNames": "job1",
        "jobType": "FLINK_STREAM",
        "metricJson": QUERY.format(metric),
        "packageName": "none",
        "path": "/",
        "planName": "none",
        "sessionId": "none",
        "vertexId": detail["vertices"][0]["id"],
    }
    names = [parameter.name for parameter in declared_parameters(operation.endpoint)]
    return {name: known[name] for name in names if name in known}


@pytest.fixture(scope="module")
def served() -> Iterator[Api]:
    with open_api() as opened:
        yield opened


def test_the_clock_is_read_by_those_operations_that_show_the_time(served: Api) -> None:
    found = set()
    for operation in READING:
        given = examples(served, operation)
        before = served.world.clock.reads
        served.call(operation.name, **given)
        if served.world.clock.reads > before:
            found.add(operation.name)
    assert found == SHOW_THE_TIME | LOOK_AT_A_RUN


def test_what_shows_the_time_is_not_cached(machine_clock: MachineClock) -> None:
    with open_api() as api:
        given = examples(api, next(each for each in READING if each.name == "GetInstanceDetail"))
        shown = []
        for _ in range(2):
            machine_clock.let_pass(60_000)
            shown.append(json.loads(api.ok("GetInstanceDetail", **given)["Detail"])["now"])
        assert shown[1] - shown[0] == 60_000


@pytest.mark.parametrize("fault", [None, {"latency": "0s"}, {"duplicate": True}])
def test_an_operation_that_reads_cannot_write(
    fault: dict[str, Any] | None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def write(world: World, *_: object) -> None:
        world.store.insert(Counter(name="written", value=1))

    monkeypatch.setattr(service, "get_instance", write)
    with open_api() as api, caplog.at_level(logging.ERROR):
        if fault is not None:
            api.request("POST", "/_emulator/worlds/default/faults", json={"effect": fault})
        before, revision = dump(api.world)["counters"], api.world.store.revision
        assert ask(api.app).status == 500
        assert dump(api.world)["counters"] == before
        assert api.world.store.revision is revision
    assert any(record.exc_info and record.exc_info[0] is WriteOutsideTransactionError for record in caplog.records)


def test_reads_write_nothing(served: Api) -> None:
    before, revision = dump(served.world), served.world.store.revision
    for operation in READING:
        served.call(operation.name, **examples(served, operation))
    assert dump(served.world) == before
    assert served.world.store.revision is revision


class NotedHeaders(dict[str, str]):
    """Headers that note which of them are read by name."""

    def __init__(self, headers: Mapping[str, str], read: set[str]) -> None:
        super().__init__(headers)
        self._read = read

    def get(self, name: str, default: Any = None) -> Any:
        self._read.add(name)
        return super().get(name, default)

    def __getitem__(self, name: str) -> str:
        self._read.add(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self._read.add(str(name))
        return super().__contains__(name)


OF_THE_SIGNATURE = {
    *("authorization", "date", "x-acs-date", "content-md5", "content-type"),
    *("x-acs-signature-method", "x-acs-signature-nonce", "x-acs-signature-version", "x-acs-security-token"),
    *("x-acs-content-sha256", "x-acs-content-sm3"),
}
"""Headers that only the verification of a signature reads: the middleware verifies each request that has one."""
OF_ERRORS = {"host"}
"""Read for the envelope of errors, which are not cached."""


@pytest.mark.parametrize("mode", ["off", "warn", "strict"])
def test_headers_that_decide_a_response_are_in_the_key_or_bypass_the_cache(
    mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: set[str] = set()
    real = RequestContext.__init__

    def noted(self: RequestContext, *given: Any) -> None:
        real(self, *given)
        self.headers = NotedHeaders(self.headers, read)

    monkeypatch.setattr(RequestContext, "__init__", noted)
    with open_api(signature=mode) as api:
        for headers in ({}, signed_v1(), signed_v3(), {"x-acs-bearer-token": "t"}):
            ask(api.app, headers=headers)
        if mode != "strict":
            for operation in READING:
                api.call(operation.name, **examples(api, operation))
    known = {name.decode() for name in (*VARY_HEADERS, *BYPASS_HEADERS)} | OF_THE_SIGNATURE | OF_ERRORS
    assert "x-emulator-world" in read
    assert read <= known, f"add to the cache key or to the headers that bypass it: {read - known}"


@pytest.mark.parametrize("sign", [signed_v1, signed_v3])
def test_a_nonce_is_used_up_by_a_right_signature_alone(sign: Any) -> None:
    with open_api(signature="strict") as api:
        nonce = {"x-acs-signature-nonce": "n"}
        for _ in range(2):
            assert ask(api.app, headers=sign(secret="wrong", headers=nonce)).code == "SignatureDoesNotMatch"
        assert ask(api.app, headers=sign(headers=nonce)).status == 200
        assert ask(api.app, headers=sign(headers=nonce)).code == "SignatureNonceUsed"


def test_a_cached_response_uses_up_no_nonce_of_a_wrong_signature() -> None:
    with open_api(signature="strict") as api:
        first, second = ({"x-acs-signature-nonce": number} for number in "12")
        assert ask(api.app, headers=signed_v1(headers=first)).status == 200
        assert ask(api.app, headers=signed_v1(secret="wrong", headers=second)).code == "SignatureDoesNotMatch"
        assert ask(api.app, headers=signed_v1(headers=second)).status == 200


@pytest.mark.parametrize("text", ["RequestId", '"RequestId":"', "</RequestId>", "00000000-0000"])
@pytest.mark.parametrize("format_", ["json", "xml"])
def test_a_response_is_split_where_its_request_id_stands(text: str, format_: Any) -> None:
    class Texts(ApiResponse):
        first: str

    body = render("GetThing", Texts(first=text), format_)
    whole = body.with_request_id(b"THE-ID")
    assert whole == body.head + b"THE-ID" + body.tail
    assert whole.startswith(b'{"RequestId":"THE-ID"') or b"<RequestId>THE-ID</RequestId>" in whole
    assert body.head.count(b"RequestId") == 1


def test_a_world_that_is_dropped_while_a_body_is_read_is_created_anew(served: Api) -> None:
    async def drop_meanwhile() -> int:
        messages: list[Any] = []

        async def receive() -> dict[str, Any]:
            served.registry.drop("late")
            return {"type": "http.request", "body": b"path=/new", "more_body": False}

        async def send(message: Any) -> None:
            messages.append(message)

        target = "/api/v2/projects/demo/folders"
        headers = [
            (b"content-type", b"application/x-www-form-urlencoded"),
            (b"content-length", b"9"),
            (b"x-emulator-world", b"late"),
        ]
        scope = {
            "type": "http",
            "method": "POST",
            "path": target,
            "raw_path": target.encode(),
            "query_string": b"",
            "headers": headers,
            "state": {},
        }
        await served.app(scope, receive, send)
        return int(messages[0]["status"])

    served.registry.open_or_create("late")
    assert asyncio.run(drop_meanwhile()) == 200
    folders = served.request("GET", "/api/v2/projects/demo/folders?path=/new", headers={"x-emulator-world": "late"})
    assert folders.status_code == 200


STAGES = [
    ("SelectWorld", "all others need the world's settings"),
    ("Record", "what is refused from here on is in the journal"),
    ("FindOperation", "an unknown operation is refused before its body is read"),
    ("ReadBody", "a signature covers the body, and it is the last stage that waits for the client"),
    ("Authenticate", "what is refused settles nothing, and no fault applies to it"),
    ("Impair", "what is refused is not held back, and what is held back finds its world settled"),
    ("SettleWorld", "nothing waits between this and the operation, but for a fault, which settles again"),
    ("InjectFaults", "the cache neither serves nor stores what a rule applies to"),
    ("CacheReads", "a hit calls no operation"),
    ("CallOperation", "it always responds"),
]


def test_the_stages_stand_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[list[str]] = []

    class Noted(Dispatcher):
        def __init__(self, app: Any, *, stages: Any, **options: Any) -> None:
            built.append([type(stage).__name__ for stage in stages])
            super().__init__(app, stages=stages, **options)

    monkeypatch.setattr("foas_emulator.main.Dispatcher", Noted)
    with open_api():
        service, quiet = built
        assert service == [name for name, _ in STAGES]
        assert quiet[1:] == [name for name in service if name in quiet], "the console's pages walk some of them"
