"""Record the answers to one request of every operation, and to some that are refused, for the OpenAPI document.

Every request is made in a new default world, so that what an example names is there. `make docs` runs it.
"""

import asyncio
import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch
from urllib.parse import quote, urlencode

import httpx

from foas_emulator.gateway.operation import Operation
from foas_emulator.gateway.parameters import declared_parameters
from foas_emulator.main import create_app
from foas_emulator.operations.catalogue import OPERATIONS
from foas_emulator.settings import Settings
from foas_emulator.world.names import DEFAULT
from foas_emulator.world.registry import Registry
from foas_emulator.worlds import open_registry

Request = Mapping[str, Any]

NOW = 1600000000000
"""The time of the requests: shortly after all times in the default seed."""
_NO_SUCH = {"instanceId": 999999}
_BY_NAME = {operation.name: operation for operation in OPERATIONS}

PROJECT = {"projectName": "project1"}
JOB = {**PROJECT, "jobName": "job1"}
INSTANCE = {**JOB, "instanceId": 412536}
DEMO = {"projectName": "demo"}
DRAFT = {**DEMO, "jobName": "draft"}
STREAM = {**DEMO, "jobName": "running-stream"}
NEVER_STARTED = {**DEMO, "jobName": "committed-never-started"}
SCALED = {**NEVER_STARTED, "instanceId": -1}
PAUSED = {**DEMO, "jobName": "paused-stream", "instanceId": 500003}
TERMINATED = {**DEMO, "jobName": "terminated-stream", "instanceId": 500004}
CLUSTER = {"clusterId": "demo4b0v6t1kq8y2w7x5z3ca"}
PACKAGE = {**DEMO, "packageName": "clicks-1.2.jar"}
QUEUE = {**CLUSTER, "queueName": "root.orders"}
CODE = "blink.main.class=com.example.Clicks\nblink.main.jar=clicks-1.2.jar"
TAGS = {"ResourceType": "cluster", "ResourceIds": CLUSTER["clusterId"]}
ORDER = {
    "payModel": "post",
    "region": "cn-hangzhou",
    "masterSpec": "Ecs_4c16g",
    "masterNum": 3,
    "slaveSpec": "Ecs_8c32g",
    "slaveNum": 3,
}
NEW_CLUSTER = {
    "orderId": "{OrderId}",
    "zoneId": "cn-hangzhou-f",
    "displayName": "orders",
    "description": "For orders",
    "userOssBucket": "orders-bucket",
    "userVpcId": "vpc-abcde",
    "userVSwitch": "vsw-abcde",
}
NEW_PROJECT = {"name": "orders", "deployType": "cell", **CLUSTER, "description": "For orders", "managerIds": "1234567"}
NEW_QUEUE = {**QUEUE, "maxVcore": 100, "maxMemMB": 4096, "gpu": 0}
SWITCHED_ON = {"isOnOff": True, "maxCU": 10.0, "configure": '{"fetch_delay":44.5}'}
MEMORY = {
    "metric": f"{CLUSTER['clusterId']}.system.mem.memtotal",
    "aggregator": "avg",
    "downsample": "avg",
    "granularity": "60s",
}
DELAY = {"metric": "blink.project1.job1.delay", "granularity": "60s", "aggregator": "max"}


def _query(metric: Request) -> str:
    """Return a query for the last five minutes of a curve."""
    return json.dumps({"start": NOW - 300_000, "end": NOW, "limit": "avg:sample:5", "queries": [metric]})


@dataclass(frozen=True, kw_only=True)
class Example:
    """A request, the calls that precede it, and variants of it that are refused.

    A value in braces is the member of that name that an earlier call answered.
    """

    request: Request
    before: Sequence[tuple[str, Request]] = ()
    refused: Sequence[Request] = ()


def _example(request: Request, *before: tuple[str, Request], refused: Sequence[Request] = ()) -> Example:
    return Example(request=request, before=before, refused=refused)


_OFFLINE: Sequence[tuple[str, Request]] = [
    ("ModifyInstanceState", {**INSTANCE, "expectState": "TERMINATED"}),
    ("OfflineJob", JOB),
]
_SCALING: Sequence[tuple[str, Request]] = [("CommitJob", {**NEVER_STARTED, **SWITCHED_ON}), ("StartJob", NEVER_STARTED)]
_NOT_RUNNING = [PAUSED]

EXAMPLES: Mapping[str, Example] = {
    "CreateProject": _example(NEW_PROJECT, refused=[{"name": "project1"}]),
    "GetProject": _example(PROJECT),
    "ListProject": _example({"deployType": "cell", "pageSize": 10, "pageIndex": 1}, refused=[{"pageSize": 0}]),
    "UpdateProject": _example({**PROJECT, "globalJobConfig": "sql.type=print"}),
    "DeleteProject": _example(PROJECT, *_OFFLINE, refused=[DEMO]),
    "UpdateProjectConfig": _example({"ProjectName": "project1", "IsOpenBatchSQL": True}),
    "CreateFolder": _example(
        {**DEMO, "path": "/orders/daily"}, refused=[{"path": "/orders"}, {"path": "/1/2/3/4/5/6"}, {"path": "orders"}]
    ),
    "GetFolder": _example({**DEMO, "path": "/orders"}),
    "ListChildFolder": _example({**DEMO, "path": "/orders"}),
    "MVFolder": _example(
        {**DEMO, "srcPath": "/orders/reports", "destPath": "/reports"}, refused=[{"srcPath": "/missing"}]
    ),
    "DeleteFolder": _example({**DEMO, "path": "/orders/reports"}, refused=[{"path": "/orders"}, {"path": "/missing"}]),
    "CreateJob": _example(
        {
            **DEMO,
            "jobName": "clicks",
            "jobType": "FLINK_STREAM",
            "apiType": "DATASTREAM",
            "code": CODE,
            "packages": "clicks-1.2.jar",
            "description": "Counts clicks",
            "engineVersion": "blink-3.4.4",
            **CLUSTER,
            "queueName": "root.demo",
        },
        refused=[{"jobName": "running-stream"}, {"packages": "missing.jar"}],
    ),
    "GetJob": _example(JOB),
    "ListJob": _example(
        {**DEMO, "jobType": "FLINK_BATCH", "isShowFullField": True, "pageIndex": 1, "pageSize": 10},
        refused=[{"pageIndex": 0}],
    ),
    "UpdateJob": _example({**JOB, "description": "Counts clicks"}),
    "DeleteJob": _example(DRAFT, refused=[JOB]),
    "ValidateJob": _example(STREAM),
    "GetRawPlanJson": _example({**DRAFT, "autoconfEnable": False, "expectedCore": 1.0, "expectedGB": 4.0}),
    "CheckRawPlanJson": _example(
        {**DRAFT, "sessionId": "{SessionId}"}, ("GetRawPlanJson", DRAFT), refused=[{"sessionId": "missing"}]
    ),
    "CalcPlanJsonResource": _example(STREAM),
    "CommitJob": _example({**DRAFT, **SWITCHED_ON}, refused=[{"maxCU": 0}]),
    "StartJob": _example({**NEVER_STARTED, "parameterJson": '{"startOffset":"1548397575000"}'}, refused=[JOB, DRAFT]),
    "OfflineJob": _example({**DEMO, "jobName": "terminated-stream"}, refused=[JOB, DRAFT]),
    "ListInstance": _example({**PROJECT, "jobType": "FLINK_STREAM", "jobName": "job1", "pageIndex": 1, "pageSize": 10}),
    "GetInstance": _example(INSTANCE, refused=[*_NOT_RUNNING, {**DEMO, "jobName": "success-batch", "instanceId": -1}]),
    "ModifyInstanceState": _example(
        {**INSTANCE, "expectState": "PAUSED", "triggerCheckpoint": False},
        refused=[TERMINATED, {"expectState": "SUCCESS"}],
    ),
    "GetInstanceRunSummary": _example(INSTANCE),
    "BatchGetInstanceRunSummary": _example(
        {**DEMO, "jobNames": "running-stream,paused-stream", "jobType": "FLINK_STREAM"}
    ),
    "GetInstanceConfig": _example(INSTANCE, refused=_NOT_RUNNING),
    "GetInstanceDetail": _example(INSTANCE, refused=_NOT_RUNNING),
    "GetInstanceExceptions": _example({**DEMO, "jobName": "failed-stream", "instanceId": 500005}),
    "GetInstanceCheckpoint": _example(INSTANCE, refused=_NOT_RUNNING),
    "GetInstanceFinalState": _example(INSTANCE),
    "GetInstanceResource": _example(INSTANCE, refused=_NOT_RUNNING),
    "GetInstanceVertexTaskManagers": _example(
        {**INSTANCE, "vertexId": "{vertex}"},
        ("GetInstanceDetail", INSTANCE),
        refused=[*_NOT_RUNNING, {"vertexId": "1"}],
    ),
    "CreatePackage": _example(
        {**DEMO, "packageName": "views-1.0.jar", "type": "JAR", "ossPath": "demo/views-1.0.jar", "tag": "views"},
        refused=[{"packageName": "clicks-1.2.jar"}],
    ),
    "GetPackage": _example(PACKAGE),
    "ListPackage": _example({**DEMO, "type": "JAR", "pageSize": 10, "pageIndex": 1}),
    "UpdatePackage": _example({**PACKAGE, "description": "Counts clicks"}),
    "DeletePackage": _example(
        PACKAGE,
        ("OfflineJob", {**DEMO, "jobName": "terminated-stream"}),
        ("OfflineJob", {**DEMO, "jobName": "failed-batch"}),
        refused=[{**PROJECT, "packageName": "hbase_demo-1.0-snapshot-shaded.jar"}],
    ),
    "GetRefPackageJob": _example({**PACKAGE, "pageSize": 10, "pageIndex": 1}),
    "CreateQueue": _example(NEW_QUEUE, refused=[{"queueName": "root.demo"}, {"maxVcore": 1000000}]),
    "UpdateQueue": _example(
        {**CLUSTER, "queueName": "root.demo", "maxVcore": 1100, "maxMemMB": 45056}, refused=[{"queueName": "root.no"}]
    ),
    "DeleteQueue": _example(QUEUE, ("CreateQueue", NEW_QUEUE), refused=[{"queueName": "root.demo"}]),
    "GetClusterQueueInfo": _example(CLUSTER),
    "BindQueue": _example(
        {"projectName": "orders", **QUEUE},
        ("CreateProject", NEW_PROJECT),
        ("CreateQueue", NEW_QUEUE),
        refused=[{"queueName": "root.demo"}, {"queueName": "root.no"}, DEMO],
    ),
    "UnbindQueue": _example(
        {**PROJECT, "clusterId": "rcmp9x37ztfb63g1x7lt****", "queueName": "root.project1"},
        *_OFFLINE,
        refused=[{**DEMO, **CLUSTER, "queueName": "root.demo"}, {"queueName": "root.no"}],
    ),
    "ListProjectBindQueue": _example({**PROJECT, "queueName": "root.project1"}),
    "ListProjectBindQueueResource": _example({**PROJECT, "queueName": "root.project1"}),
    "CreateCellClusterOrder": _example(ORDER, refused=[{"masterNum": 2}]),
    "CreateCluster": _example(NEW_CLUSTER, ("CreateCellClusterOrder", ORDER), refused=[{"orderId": "1"}]),
    "ListCluster": _example({"state": "RUNNING", "pageSize": 10, "pageIndex": 1}, refused=[{"pageSize": 101}]),
    "GetClusterDetails": _example(CLUSTER),
    "GetClusterEngineVersions": _example(CLUSTER),
    "GetClusterResource": _example(CLUSTER),
    "ExpandCluster": _example({**CLUSTER, "count": 5}, refused=[{"count": 2}]),
    "ShrinkCluster": _example(
        {**CLUSTER, "modelTargetCount": "4"},
        ("ExpandCluster", {**CLUSTER, "count": 5}),
        refused=[{"modelTargetCount": "2"}, {"modelTargetCount": "1"}],
    ),
    "ModifyMasterSpec": _example({**CLUSTER, "masterTargetModel": "Ecs_8c32g"}),
    "DestroyCluster": _example(
        {"clusterId": "{ClusterId}"},
        ("CreateCellClusterOrder", ORDER),
        ("CreateCluster", NEW_CLUSTER),
        refused=[CLUSTER],
    ),
    "TagResources": _example({**TAGS, "Tags": '[{"Key":"stage","Value":"test"}]'}),
    "ListTagResources": _example(
        {**TAGS, "Tags": "stage"}, ("TagResources", {**TAGS, "Tags": "stage:test"}), refused=[{"NextToken": "7"}]
    ),
    "UntagResources": _example(
        {**TAGS, "TagKeys": "stage", "All": False}, ("TagResources", {**TAGS, "Tags": "stage:test"})
    ),
    "UpdateAutoScaleConfig": _example(
        {**SCALED, "configJson": '{"autoscale.enable":"false"}'}, *_SCALING, refused=[JOB]
    ),
    "GetJobLatestAutoScalePlan": _example(NEVER_STARTED, *_SCALING),
    "GetInstanceHistoryAutoScalePlanList": _example(SCALED, *_SCALING),
    "GetInstanceHistoryAutoScalePlanContent": _example(
        {**SCALED, "planName": "{plan}"},
        *_SCALING,
        ("GetInstanceHistoryAutoScalePlanList", SCALED),
        refused=[{"planName": "missing"}],
    ),
    "GetInstanceMetric": _example(
        {**JOB, "instanceId": -1, "metricJson": _query(DELAY)},
        refused=[{**DEMO, "jobName": "paused-stream"}, {"metricJson": "{}"}],
    ),
    "GetClusterMetrics": _example(
        {**CLUSTER, "metricJson": _query(MEMORY)},
        refused=[{"metricJson": "{}"}],
    ),
}


def recorded_examples() -> str:
    """Return the file of all examples."""
    # Resources without a time in the default seed were created with the world.
    machine = SimpleNamespace(**{**vars(time), "time_ns": lambda: NOW * 1_000_000})
    with patch("foas_emulator.world.clock.time", machine):
        return _record()


def _record() -> str:
    registry = open_registry(Settings())
    try:
        recorder = _Recorder(registry)
        recorded = {name: recorder.record(_BY_NAME[name], example) for name, example in EXAMPLES.items()}
    finally:
        registry.close()
    return json.dumps(recorded, indent=1, ensure_ascii=False) + "\n"


class _Recorder:
    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._app = create_app(Settings(log_refused=False), registry=registry)
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(self._app), base_url="http://127.0.0.1:8018")

    def record(self, operation: Operation, example: Example) -> dict[str, Any]:
        request = self._prepared(example)
        answered = {"json": self._call(operation, request, "json").json()}
        request = self._prepared(example)
        answered["xml"] = self._call(operation, request, "xml").text
        return {"request": request, "answer": answered, "errors": list(self._errors(operation, example))}

    def _errors(self, operation: Operation, example: Example) -> Iterator[dict[str, Any]]:
        """Yield each code with which variants of an example are refused, once."""
        seen: set[str] = set()
        for change in [*example.refused, *_changes(operation, example.request)]:
            request = {**self._prepared(example), **change}
            request = {name: value for name, value in request.items() if value is not None}
            response = self._call(operation, request, "json", is_refused=None)
            if response.is_success:
                assert change not in example.refused, f"{operation.name} is not refused with {change}"
                continue
            error = response.json()
            if error["Code"] not in seen:
                seen.add(error["Code"])
                hint = response.headers["x-emulator-hint"]
                yield {"status": response.status_code, "code": error["Code"], "hint": hint, "answer": error}

    def _prepared(self, example: Example) -> dict[str, Any]:
        """Create the default world anew, make the calls that precede the request, and return the request."""
        self._registry.drop(DEFAULT)
        self._registry.open_or_create(DEFAULT)
        answers: dict[str, Any] = {}
        for name, request in example.before:
            answer = self._call(_BY_NAME[name], _filled(request, answers), "json").json()
            answers |= answer | _found(answer)
        return _filled(example.request, answers)

    def _call(
        self, operation: Operation, request: Request, format_: str, *, is_refused: bool | None = False
    ) -> httpx.Response:
        places = {each.name: each.place for each in declared_parameters(operation.endpoint)}
        texts = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in request.items()}
        path = operation.path
        for name in [name for name in texts if places[name] == "path"]:
            path = path.replace("{" + name + "}", quote(texts.pop(name), safe=""))
        query = {name: text for name, text in texts.items() if places[name] == "query"}
        form = {name: text for name, text in texts.items() if places[name] == "form"}
        url = path + (f"?{urlencode(query)}" if query else "")
        headers = {"accept": f"application/{format_}"}
        response = asyncio.run(self._client.request(operation.method, url, data=form or None, headers=headers))
        if is_refused is not None:
            assert response.is_error is is_refused, f"{operation.name} {request}: {response.text}"
        return response


def _changes(operation: Operation, request: Request) -> Iterator[Request]:
    """Yield changes that make any call fail: a resource that does not exist, a parameter that is missing."""
    for parameter in declared_parameters(operation.endpoint):
        if parameter.place == "path":
            yield {parameter.name: _NO_SUCH.get(parameter.name, "missing")}
        elif parameter.name in request:
            yield {parameter.name: None}


def _filled(request: Request, answers: Mapping[str, Any]) -> dict[str, Any]:
    """Return a request whose values in braces are replaced by those of earlier answers."""
    return {
        name: answers[value[1:-1]] if isinstance(value, str) and re.fullmatch(r"\{\w+\}", value) else value
        for name, value in request.items()
    }


def _found(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return nested values of an answer: the id of a vertex, the name of a plan."""
    found = {}
    if "Detail" in answer:
        found["vertex"] = json.loads(answer["Detail"])["vertices"][0]["id"]
    if "PlanList" in answer:
        found["plan"] = answer["PlanList"]["Plan"][0]
    return found
