"""Snapshots changed by chance: each is refused by name, or is a world in which no call fails unexpectedly."""

import copy
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from foas_emulator.gateway.parameters import declared_parameters
from foas_emulator.operations.catalogue import OPERATIONS
from foas_emulator.operations.clusters.service import FIRST_ORDER
from foas_emulator.seeds import planned
from foas_emulator.seeds.consistency import check_world
from foas_emulator.world.ids import token
from foas_emulator.world.instants import LAST_INSTANT
from foas_emulator.world.snapshot import SnapshotError, read_snapshot
from foas_emulator.world.world import World
from tests.api import Api, open_api
from tests.snapshots import take_snapshot

SEED = """
clusters: [{ClusterId: c, slave_num: 4}]
projects:
- Name: p
  folders: [{Path: /a/b}]
  packages: [{PackageName: a.jar}]
  jobs:
  - JobName: j
    Code: "CREATE TABLE s (i BIGINT) WITH (type = 'random'); CREATE TABLE t (i BIGINT) WITH (type = 'print');
      INSERT INTO t SELECT i FROM s;"
    auto_scale_params: '{"isOnOff":true,"maxCU":40,"strategyConfigure":{"fetch_delay":5}}'
    instances:
    - {ActualState: TERMINATED}
    - {ActualState: RUNNING, timeline: [{after: 1m, ActualState: FAILED, LastErrorMessage: m}]}
  - {JobName: b, JobType: FLINK_BATCH, instances: [{ActualState: SUCCESS}, {ActualState: WAITING}]}
  - {JobName: n, IsCommitted: false}
faults: [{effect: {latency: 1ms}, match: {operation: GetJob}, times: 5}]
settings: {start_delay: 30s, stop_delay: 10s, plan_delay: 5s, cluster_delay: 5s, batch_duration: 1m}
"""

ARGUMENTS = {
    "projectName": "p",
    "jobName": "j",
    "instanceId": "-1",
    "clusterId": "c",
    "queueName": "root.p",
    "packageName": "a.jar",
    "path": "/a",
    "jobType": "FLINK_STREAM",
    "apiType": "SQL",
    "ResourceType": "cluster",
    "ResourceIds": "c",
}

_numbers = [0, 1, -1, 2, 3, 5, 100, 2**31, 2**53, 2**62, 2**63 - 1, -(2**63), 2**63, 10**30, 1.5, True]
_texts = [
    "",
    "p",
    "j",
    "/",
    "/a",
    "a,b",
    "1,,2",
    "FAILED",
    "RUNNING",
    "FLINK_BATCH",
    "started",
    "instance:1",
    "[]",
    "{",
]
_more = [
    '{"a":1}',
    '{"ActualState":"NONE"}',
    "nothing:1",
    "cluster:c",
    "\ud800",
    "x" * 300,
    "real",
    "finish",
    "put_state",
]
_values: st.SearchStrategy[Any] = st.sampled_from([None, *_numbers, *_texts, *_more, [], {}])


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    with open_api() as opened:
        yield opened


@pytest.fixture(scope="module")
def whole(api: Api) -> dict[str, Any]:
    """A snapshot with something in every table."""
    world = "/_emulator/worlds/lived"
    ask(api, "POST", f"{world}/reset")
    assert ask(api, "PUT", world, '{"seed": "empty"}') == 200
    assert ask(api, "POST", f"{world}/seed", SEED) == 204
    assert ask(api, "PUT", f"{world}/clock", '{"mode": "frozen"}') == 200
    for name, job in (("GetRawPlanJson", "j"), ("CommitJob", "n"), ("StartJob", "n"), ("StartJob", "b")):
        assert call(api, "lived", name, jobName=job) < 500
    order = {"payModel": "post", "region": "cn-hangzhou", "masterSpec": "Ecs_4c16g", "masterNum": 1}
    assert call(api, "lived", "CreateCellClusterOrder", **order, slaveSpec="Ecs_4c16g", slaveNum=2) == 200
    assert call(api, "lived", "TagResources", Tags='[{"Key":"k","Value":"v"}]') == 200
    assert call(api, "lived", "UpdateAutoScaleConfig", configJson='{"autoscale.enable":"true"}') == 200
    snapshot = take_snapshot(api.registry.open_or_create("lived"))
    plan = {"project_name": "p", "job_name": "j", "plan_json": "{}", "plan_name": "2018-09-18 10:10:20"}
    snapshot["tables"]["autoscale_plans"] = [{"instance_id": snapshot["tables"]["instances"][0]["id"], **plan}]
    assert read(api, snapshot)
    return snapshot


def ask(api: Api, method: str, path: str, body: str = "", world: str = "lived") -> int:
    headers = {"x-emulator-world": world, "content-type": "application/x-www-form-urlencoded"}
    return api.request(method, path, content=body, headers=headers).status_code


def call(api: Api, world: str, name: str, /, **given: Any) -> int:
    """Call an operation with values that lead somewhere."""
    operation = next(operation for operation in OPERATIONS if operation.name == name)
    arguments = {**ARGUMENTS, **{key: str(value) for key, value in given.items()}}
    path, pairs = operation.path, []
    for parameter in declared_parameters(operation.endpoint):
        value = arguments.get(parameter.name)
        if parameter.place == "path":
            path = path.replace("{" + parameter.name + "}", quote(value or "x", safe=""))
        elif value is not None:
            pairs.append(f"{parameter.name}={quote(value, safe='')}")
    joined = "&".join(pairs)
    if operation.method in ("GET", "DELETE"):
        return ask(api, operation.method, f"{path}?{joined}", world=world)
    return ask(api, operation.method, path, joined, world=world)


def read(api: Api, snapshot: Any) -> bytes:
    return read_snapshot(snapshot, connections=api.registry.connections, kinds=api.registry.handlers, check=check_world)


@st.composite
def mutations(draw: st.DrawFn) -> Any:
    """A change of a snapshot, as a function of it: table, row and member are drawn when it is known."""
    return draw(
        st.lists(
            st.tuples(st.integers(0), st.integers(0), st.integers(0), st.integers(0, 9), _values),
            min_size=1,
            max_size=2,
        )
    )


def mutate(snapshot: dict[str, Any], changes: Any) -> dict[str, Any]:
    changed = copy.deepcopy(snapshot)
    for which_table, which_row, which_member, kind, value in changes:
        tables = changed["tables"]
        if not isinstance(tables, dict) or not tables:
            break
        name = sorted(tables)[which_table % len(tables)]
        rows = tables[name]
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            break  # an earlier change left no rows to change
        if kind == 0:
            del tables[name]
        elif kind == 1 or not rows:
            tables[name] = value if kind == 1 and which_row % 2 else []
        else:
            row = rows[which_row % len(rows)]
            member = sorted(row)[which_member % len(row)]
            if kind == 2:
                rows.remove(row)
            elif kind == 3:
                rows.append({**row, member: value})
            elif kind == 4:
                del row[member]
            else:
                row[member] = value
    return changed


CALLS = [operation.name for operation in OPERATIONS]
GIVEN: dict[str, dict[str, Any]] = {
    "CreateJob": {"jobName": "new"},
    "CreateFolder": {"path": "/new"},
    "CreatePackage": {"packageName": "new.jar", "type": "JAR", "ossPath": "x"},
    "CreateCellClusterOrder": {
        "payModel": "post",
        "region": "r",
        "masterSpec": "Ecs_4c16g",
        "masterNum": 1,
        "slaveSpec": "Ecs_4c16g",
        "slaveNum": 2,
    },
    "CreateProject": {"name": "new", "deployType": "cell"},
    "TagResources": {"Tags": '[{"Key":"k","Value":"v"}]'},
    "ModifyInstanceState": {"expectState": "PAUSED"},
    "UpdateAutoScaleConfig": {"configJson": '{"autoscale.enable":"true"}'},
    "GetInstanceMetric": {"metricJson": "{}"},
    "ExpandCluster": {"count": 1},
}


def tour(api: Api, world: World) -> None:
    """Make every call, those that read first and those that delete last, with the clock moved on in between."""

    def order(name: str) -> tuple[bool, bool, str]:
        return (
            not name.startswith(("Get", "List", "Check", "Calc", "Validate")),
            name.startswith(("Delete", "Destroy")),
            name,
        )

    base = f"/_emulator/worlds/{world.name}"
    for job in ("j", "b"):
        for name in sorted(CALLS, key=order):
            if order(name)[0] and job == "b":
                continue
            status = call(api, world.name, name, **{"jobName": job, **GIVEN.get(name, {})})
            assert status < 500, name
            if name in ("StartJob", "CreateJob"):
                assert ask(api, "POST", f"{base}/clock/advance", '{"by": "1m"}') in (200, 400)
    for method, path, body in (
        ("GET", "/snapshot", ""),
        ("GET", "/clock", ""),
        ("GET", "/settings", ""),
        ("GET", "/faults", ""),
        ("POST", "/faults", '{"effect": {"drop": true}}'),
        ("POST", "/clock/advance", '{"until": "next"}'),
        ("POST", "/clock/advance", '{"until": "idle"}'),
        ("POST", "/seed", "projects: [{Name: q, jobs: [{JobName: j, instances: [{}]}]}]"),
        ("GET", "/snapshot", ""),
    ):
        assert ask(api, method, base + path, body) < 500, path


def test_the_whole_snapshot_has_rows_in_every_table_and_stands_the_tour(api: Api, whole: dict[str, Any]) -> None:
    assert [name for name, rows in whole["tables"].items() if not rows] == []
    tour(api, api.registry.create_or_replace("toured", read(api, whole)))


@settings(
    max_examples=40,
    # A tour takes too long to be made again and again for the smallest change; the note tells what was changed.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(mutations())
def test_a_changed_snapshot_is_refused_by_name_or_stands_the_tour(
    api: Api, whole: dict[str, Any], changes: Any
) -> None:
    changed = mutate(whole, changes)
    try:
        image = read(api, changed)
    except SnapshotError as error:
        note(str(error))
        return
    note(f"accepted {changes}")
    tour(api, api.registry.create_or_replace("toured", image))


@pytest.mark.parametrize(
    ("table", "column", "value", "reason"),
    [
        ("projects", "name", "other", "belongs to a row of projects that does not exist"),
        ("jobs", "job_name", "other", "belongs to a row of jobs that does not exist"),
        ("jobs", "folder_id", 99, "belongs to a row of folders that does not exist"),
        ("jobs", "cluster_id", "other", "belongs to a row of clusters that does not exist"),
        ("autoscale_plans", "job_name", "b", "belongs to a row of instances that does not exist"),
        ("clusters", "cluster_id", "other", "belongs to a row of clusters that does not exist"),
        ("clusters", "removed_slaves", "x", "removed_slaves that are not numbers"),
        ("clusters", "removed_slaves", "1,2,8", "removed_slaves with numbers beyond those of its slaves"),
        ("clusters", "slave_spec", "s" * 1025, "has a name of over 256 characters in slave_spec"),
        ("clusters", "engine_versions", "blink", "engine_versions that are not versions"),
        ("clusters", "engine_versions", "a--b," * 13_108 + "a--b", "has engine_versions of over 65536 characters"),
        ("clusters", "state", "TIRED", "has a value of state other than"),
        ("folders", "path", "/x", "has no folder /"),
        ("folders", "path", "/a" * 513, "has a path of over 1024 characters"),
        ("cluster_orders", "region", "r" * 13_000_000, "has longer texts than any world may hold"),
        ("tags", "tag_value", "v" * 1025, "has a name of over 256 characters in tag_value"),
        ("instances", "actual_state", "TIRED", "has a value of actual_state other than"),
        ("instances", "start_time", -5, "has a start_time beyond"),
        ("instances", "job_type", "FLINK_BATCH", "has a job_type that differs from its job's"),
        ("counters", "value", 0, "once more"),
        ("pending_changes", "subject", "instance:99", "refers to something that does not exist"),
        ("pending_changes", "event", "e" * 1025, "has a name of over 256 characters in event"),
        ("cluster_orders", "order_id", "285769237099", "beyond the counter 'order'"),
        ("plan_sessions", "status", "done", "has a value of status other than"),
        ("fault_rules", "params", "null", "no JSON object is in the params of fault rule 1"),
    ],
)
def test_rows_that_cannot_be_are_refused_by_name(
    api: Api, whole: dict[str, Any], *, table: str, column: str, value: Any, reason: str
) -> None:
    changed = copy.deepcopy(whole)
    rows = changed["tables"][table]
    for row in rows if table in ("counters", "instances") else rows[:1]:
        row[column] = value
    with pytest.raises(SnapshotError, match=reason):
        read(api, changed)


def test_a_change_that_cannot_come_about_is_refused(api: Api, whole: dict[str, Any]) -> None:
    changed = copy.deepcopy(whole)
    changed["tables"]["pending_changes"][0] |= {"event": "started"}
    with pytest.raises(SnapshotError, match="cannot be applied"):
        read(api, changed)


def test_nothing_else_is_planned_for_an_instance_whose_call_has_its_outcome_to_come(
    api: Api, whole: dict[str, Any]
) -> None:
    """A setting that is changed later, such as batch_duration, would let one of the two fail."""
    changed = copy.deepcopy(whole)
    changes = changed["tables"]["pending_changes"]
    outcome = next(row for row in changes if row["event"] == "started")
    later = next(row for row in changes if row["event"] == "put_state")
    later |= {"subject": outcome["subject"], "details": '{"ActualState":"TERMINATED"}'}
    with pytest.raises(SnapshotError, match=f"the pending change '{outcome['subject']} started' is not the only one"):
        read(api, changed)


@pytest.mark.parametrize("kind", ["cluster", "plan_session"])
def test_a_cluster_or_a_session_has_one_change_ahead(api: Api, whole: dict[str, Any], kind: str) -> None:
    """A call that deletes them would cancel thousands."""
    changed = copy.deepcopy(whole)
    tables = changed["tables"]
    key = tables[f"{kind}s"][0][f"{kind.removeprefix('plan_')}_id"]
    planned_for_it = {"subject": f"{kind}:{key}", "event": "made", "details": "{}", "at": LAST_INSTANT + 1}
    last = max(row["sequence"] for row in tables["pending_changes"])
    tables["pending_changes"] += [{**planned_for_it, "sequence": last + number} for number in (1, 2)]
    tables["counters"] = [row for row in tables["counters"] if row["name"] != "pending_change"]
    tables["counters"].append({"name": "pending_change", "value": last + 2})
    with pytest.raises(SnapshotError, match=f"the pending change '{kind}:{key} made' is not the only one"):
        read(api, changed)


@pytest.mark.parametrize(
    ("kind", "details", "reason"),
    [
        ("instance", {"ActualState": "TIRED"}, "would bring a wrong ActualState"),
        ("instance", {"ActualState": "FAILED", "LastErrorMessage": 5}, "would bring a wrong LastErrorMessage"),
        ("instance", {"ActualState": "FAILED", "LastErrorMessage": "\ud800"}, "would bring a wrong LastErrorMessage"),
        ("cluster", {"slave_num": 2_000_000_000}, "would bring a wrong slave_num"),
        ("cluster", {"slave_num": "4"}, "would bring a wrong slave_num"),
        ("cluster", {"removed_slaves": "1,,x"}, "would bring a wrong removed_slaves"),
        ("cluster", {"cluster_id": "other"}, "would bring a wrong cluster_id"),
        ("cluster", {"master_spec": "m" * 1025}, "has a name of over 256 characters in master_spec"),
        ("cluster", {"state": "EXPANDING"}, "would bring a wrong state"),
    ],
)
def test_a_change_that_brings_what_no_call_brings_is_refused(
    api: Api, whole: dict[str, Any], *, kind: str, details: dict[str, Any], reason: str
) -> None:
    changed = copy.deepcopy(whole)
    row = next(row for row in changed["tables"]["pending_changes"] if row["event"] == "put_state")
    row["details"] = json.dumps(details)
    if kind == "cluster":
        row |= {"subject": "cluster:c", "event": "finish"}
        changed["tables"]["clusters"][0]["state"] = "UPGRADING"
    with pytest.raises(SnapshotError, match=reason):
        read(api, changed)


def test_the_instances_of_a_project_have_no_more_changes_than_seeds_and_calls_give(
    api: Api, whole: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = [row for row in whole["tables"]["pending_changes"] if row["subject"].startswith("instance:")]
    monkeypatch.setattr(planned, "_MOST_OF_PROJECT", len(changes))
    assert read(api, whole)
    monkeypatch.setattr(planned, "_MOST_OF_PROJECT", len(changes) - 1)
    with pytest.raises(SnapshotError, match="the instances of project 'p' have over"):
        read(api, whole)


def test_the_first_order_has_the_id_that_snapshots_are_checked_with(api: Api) -> None:
    api.registry.create_or_replace("orders")
    order = {"payModel": "post", "region": "r", "masterSpec": "Ecs_4c16g", "masterNum": 1}
    assert call(api, "orders", "CreateCellClusterOrder", **order, slaveSpec="Ecs_4c16g", slaveNum=2) == 200
    (row,) = take_snapshot(api.registry.open_or_create("orders"))["tables"]["cluster_orders"]
    assert row["order_id"] == str(FIRST_ORDER)


def test_the_last_numbers_of_clusters_may_be_those_of_clusters(api: Api, whole: dict[str, Any]) -> None:
    changed = copy.deepcopy(whole)
    tables, last = changed["tables"], 2**62 + 5
    tables["counters"] = [row for row in tables["counters"] if row["name"] != "cluster"]
    tables["counters"].append({"name": "cluster", "value": last})
    taken = token(tables["world"][0]["seed"], "cluster", last + 1)
    tables["clusters"].append({**tables["clusters"][0], "cluster_id": taken, "order_id": None})
    api.registry.create_or_replace("counted", read(api, changed))
    cluster = {"zoneId": "cn-hangzhou-f", "displayName": "n", "userOssBucket": "b", "userVpcId": "v"}
    status = call(api, "counted", "CreateCluster", **cluster, userVSwitch="s", orderId=FIRST_ORDER)
    assert status == 503, "the world can make no more clusters"
