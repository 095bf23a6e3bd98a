"""The texts of what is stored have a bound: each answer that shows them writes all of them at once."""

from typing import Any

import pytest
from sqlmodel.sql.sqltypes import AutoString

from foas_emulator.operations import paging, texts
from foas_emulator.operations.columns import JobContent
from foas_emulator.operations.instances.rows import Instance
from foas_emulator.operations.jobs.rows import CommittedJob, Job
from foas_emulator.operations.packages.rows import Package
from foas_emulator.operations.projects.rows import Project
from foas_emulator.operations.tags.rows import Tag
from foas_emulator.operations.texts import MOST_WEIGHT
from foas_emulator.seeds import consistency
from foas_emulator.world.tables import Row, assign, changed, equal
from tests.api import Api
from tests.operations import building

LIMIT = 10_000


@pytest.fixture
def p(p: Api, monkeypatch: pytest.MonkeyPatch) -> Api:
    building.job(p)
    p.ok("CreatePackage", projectName="p", packageName="a", type="jar", ossPath="a.jar")
    monkeypatch.setattr(texts, "MOST_WEIGHT", LIMIT)
    return p


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        ("UpdateJob", {"jobName": "j", "code": None}, {"jobName": "j", "planJson": None}),
        ("UpdatePackage", {"packageName": "a", "tag": None}, {"packageName": "a", "md5": None}),
    ],
)
def test_all_texts_of_a_row_count_together(p: Api, name: str, first: dict[str, Any], second: dict[str, Any]) -> None:
    def given(members: dict[str, Any], length: int) -> dict[str, Any]:
        return {"projectName": "p"} | {key: value or "x" * length for key, value in members.items()}

    p.ok(name, **given(first, LIMIT // 2))
    p.ok(name, **given(second, LIMIT // 3))
    refused = p.refused(name, **given(second, LIMIT // 2), code="InvalidParameter.TooLong")
    assert f"may have {LIMIT}" in refused.hint
    p.ok(name, **given(first, 10))
    p.ok(name, **given(second, LIMIT // 2))


@pytest.mark.parametrize("character", ["&", "<", "\r", "\x01"])
def test_characters_that_are_escaped_count_four_times(p: Api, character: str) -> None:
    p.ok("UpdateProject", projectName="p", globalJobConfig=character * (LIMIT // 5))
    over = character * (LIMIT // 4)
    p.refused("UpdateProject", projectName="p", globalJobConfig=over, code="InvalidParameter.TooLong")
    p.ok("UpdateProject", projectName="p", globalJobConfig="ä\n" * (LIMIT // 4))


def test_what_is_created_has_the_bound_too(p: Api) -> None:
    over, code = "x" * LIMIT, "InvalidParameter.TooLong"
    project: dict[str, Any] = {"name": "q", "deployType": "public", "orderId": "o"}
    p.refused("CreateProject", **project, managerIds=over, code=code)
    cluster: dict[str, Any] = {
        "orderId": "blinkonecs_9",
        "zoneId": "cn-hangzhou-f",
        "displayName": "d",
        "userOssBucket": "b",
    }
    p.refused("CreateCluster", **cluster, userVpcId="v", userVSwitch="w", description=over, code=code)
    package: dict[str, Any] = {"projectName": "p", "packageName": "b", "type": "jar"}
    p.refused("CreatePackage", **package, ossPath=over, code=code)
    job: dict[str, Any] = {"projectName": "p", "jobName": "k", "jobType": "flink_stream", "apiType": "sql"}
    refused = p.call("CreateJob", **job, code=over)
    assert refused.code == code


def test_texts_that_were_longer_before_may_not_grow(p: Api) -> None:
    with p.world.transaction():
        p.world.store.update(Job, assign(Job.code, "x" * 2 * LIMIT), where=[equal(Job.job_name, "j")])
    given: dict[str, Any] = {"projectName": "p", "jobName": "j"}
    p.ok("UpdateJob", **given, code="y" * (2 * LIMIT - 1))
    assert p.call("UpdateJob", **given, description="xx").code == "InvalidParameter.TooLong"


@pytest.mark.parametrize(
    ("table", "column", "name", "given"),
    [
        (Package, Package.description, "UpdatePackage", {"packageName": "a", "description": "y" * (2 * LIMIT - 100)}),
        (Project, Project.global_job_config, "UpdateProject", {"globalJobConfig": "y" * (2 * LIMIT - 100)}),
    ],
)
def test_so_it_is_with_packages_and_projects(p: Api, table: Any, column: Any, name: str, given: dict[str, Any]) -> None:
    with p.world.transaction():
        p.world.store.update(table, assign(column, "x" * 2 * LIMIT), where=[])
    p.ok(name, projectName="p", **given)


def test_documents_have_the_bound_too(p: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    world, over = "/_emulator/worlds/default", "x" * (LIMIT + 1)
    for job in ({"Code": over}, {"Code": "&" * (LIMIT // 4 + 1)}, {"instances": [{"LastErrorMessage": over}]}):
        seed = {"projects": [{"Name": "p", "jobs": [{"JobName": "k"} | job]}]}
        refused = p.request("POST", f"{world}/seed", json=seed)
        assert (refused.status_code, f"may have {LIMIT}" in refused.text) == (400, True)
    overrides = {"InvalidJob.NotFound": {"message": over}}
    assert "over 10000 characters" in p.request("PUT", f"{world}/settings", json={"error_overrides": overrides}).text
    effect = {"error": "Throttling.User", "message": over}
    assert p.request("POST", f"{world}/faults", json={"effect": effect}).status_code == 400
    p.ok("CommitJob", projectName="p", jobName="j")
    p.ok("StartJob", projectName="p", jobName="j")
    failed = {"ActualState": "FAILED", "LastErrorMessage": "x" * 1_000_001}
    state = p.request("PUT", f"{world}/projects/p/jobs/j/instances/-1/state", json=failed)
    assert "at most 1000000 characters" in state.text
    p.ok("UpdateJob", projectName="p", jobName="j", description="\0" + "&" * (LIMIT // 5))
    snapshot = p.request("GET", f"{world}/snapshot").content
    assert p.request("PUT", f"{world}/snapshot", content=snapshot).status_code == 204
    monkeypatch.setattr(consistency, "_MOST_WEIGHT", LIMIT // 2)
    told = p.request("PUT", f"{world}/snapshot", content=snapshot + b" ").json()  # of the same one, the image is kept
    assert "jobs 'p', 'j' has longer texts than any world may hold" in told["hint"]


def test_a_snapshot_of_the_longest_texts_that_a_seed_and_a_call_may_give_can_be_restored(
    p: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consistency, "_MOST_WEIGHT", consistency._MOST_WEIGHT // MOST_WEIGHT * LIMIT)
    failure = {"after": "1h", "ActualState": "FAILED", "LastErrorMessage": '"' * (LIMIT - 50)}
    instance = {"Properties": "x" * (LIMIT - 50), "timeline": [failure]}
    jobs = [{"JobName": "k", "Code": "x" * (LIMIT - 50), "instances": [instance]}]
    world = "/_emulator/worlds/default"
    assert p.request("POST", f"{world}/seed", json={"projects": [{"Name": "p", "jobs": jobs}]}).status_code == 204
    for _ in range(2):
        snapshot = p.request("GET", f"{world}/snapshot").content
        assert p.request("PUT", f"{world}/snapshot", content=snapshot).status_code == 204
        p.request("POST", f"{world}/clock/advance", json={"by": "2h"})


def test_documents_give_a_cluster_as_many_queues_as_calls_do_and_a_project_as_many_folders(p: Api) -> None:
    world = "/_emulator/worlds/default"
    clusters = {"clusters": [{"ClusterId": "c"}, {"ClusterId": "d"}]}

    def given(number: int, other: str = "d", **more: Any) -> str:
        queues = {"queues": [{"QueueName": f"root.q{at}", "ClusterId": "c"} for at in range(number)]}
        projects = [{"Name": "q"} | (queues if number else {}) | more, {"Name": "r", "ClusterId": other}]
        body = clusters | {"projects": projects}
        return p.request("POST", f"{world}/seed", json=body).text

    assert "the project would have over 500 queues" in given(501)
    assert "cluster c would have over 500 queues" in given(500, "c")
    assert "over 1000 folders" in given(0, folders=[{"Path": "/" + "x/" * 400 + str(at)} for at in range(600)])
    assert "error" not in given(500, folders=[{"Path": f"/{at}"} for at in range(999)])
    snapshot = p.request("GET", f"{world}/snapshot").json()
    assert p.request("PUT", f"{world}/snapshot", json=snapshot).status_code == 204
    queues, folders = snapshot["tables"]["queues"], snapshot["tables"]["folders"]
    for rows, more in (
        (queues, {"cluster_id": "c", "queue_name": "r", "project_name": None}),
        (queues, {"cluster_id": "d", "queue_name": "r", "project_name": "q"}),
        (folders, {"folder_id": 10**6, "project_name": "q", "path": "/r"}),
    ):
        rows.append(rows[-1] | more)
        told = p.request("PUT", f"{world}/snapshot", json=snapshot)
        assert "has over" in told.json()["hint"]
        rows.pop()


@pytest.mark.parametrize(("table", "column"), [("queues", "queue_name"), ("projects", "name"), ("jobs", "job_name")])
def test_a_snapshot_has_no_name_that_is_longer_than_any_seed_may_give(p: Api, table: str, column: str) -> None:
    """All queues of a cluster stand in one answer, and all projects of a world on one page."""
    world = "/_emulator/worlds/default/snapshot"
    snapshot = p.request("GET", world).json()
    row = snapshot["tables"][table][0]
    snapshot["tables"][table].append(row | {column: "é" * 513})
    refused = p.request("PUT", world, json=snapshot)
    assert f"{table} has a name of over 256 characters in {column}" in refused.json()["hint"]


def test_a_snapshot_that_is_refused_for_a_long_value_is_told_so_in_short(p: Api) -> None:
    world = "/_emulator/worlds/default/snapshot"
    snapshot = p.request("GET", world).json()
    snapshot["tables"]["queues"][0]["cluster_id"] = "x" * 100_000
    refused = p.request("PUT", world, json=snapshot)
    assert (refused.status_code, len(refused.content) < 2000) == (400, True)


def test_a_summary_of_many_instances_with_long_messages_is_refused_before_all_are_read(
    p: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = [{"ActualState": "FAILED", "LastErrorMessage": "e" * 500_000}]
    jobs: list[dict[str, Any]] = [{"JobName": f"j{number}", "instances": failed} for number in range(30)]
    seed = {"projects": [{"Name": "p", "jobs": jobs}]}
    monkeypatch.setattr(texts, "MOST_WEIGHT", 1_000_000)
    assert p.request("POST", "/_emulator/worlds/default/seed", json=seed).status_code == 204
    given: dict[str, Any] = {"projectName": "p", "jobType": "FLINK_STREAM"}
    every = ",".join(job["JobName"] for job in jobs)
    hint = p.refused("BatchGetInstanceRunSummary", **given, jobNames=every, code="InvalidjobNames").hint
    assert hint.startswith("jobNames: 13 of its items have over")
    few = p.ok("BatchGetInstanceRunSummary", **given, jobNames="j1,j2,j3")
    assert len(few["RunSummarys"]["RunSummary"]) == 3


def test_the_kind_of_a_tagged_resource_is_short(p: Api) -> None:
    cluster_id = p.ok("ListCluster")["Clusters"]["Cluster"][0]["ClusterId"]
    given: dict[str, Any] = {"ResourceIds": cluster_id, "Tags": "a,b,c", "ResourceType": "x" * 129}
    p.refused("TagResources", **given, code="InvalidResourceType")
    assert p.world.store.count(Tag) == 0


def test_auto_scale_params_are_bounded(p: Api) -> None:
    given: dict[str, Any] = {"projectName": "p", "jobName": "j", "isOnOff": True, "configure": '{"fetch_delay":1}'}
    for wrong in (0, 2**31, "1e300"):
        p.refused("CommitJob", **given, maxCU=wrong, code="InvalidmaxCU")
    p.ok("CommitJob", **given, maxCU=2**31 - 1)
    long = {"configure": '{"fetch_delay":1,"x":"' + "x" * 65_536 + '"}'}
    p.refused("CommitJob", **given | long, maxCU=10, code="Invalidconfigure")


def test_content_is_the_last_part_of_a_row_and_read_only_where_it_is_shown(p: Api) -> None:
    for model in (Job, CommittedJob, Instance):
        names = list(model.table().c.keys())
        assert max(map(names.index, ("job_name", "queue_name"))) < min(map(names.index, JobContent.model_fields))
    p.ok("CommitJob", projectName="p", jobName="j")
    p.ok("StartJob", projectName="p", jobName="j")
    cluster_id = p.ok("ListCluster")["Clusters"]["Cluster"][0]["ClusterId"]
    first = p.ok("GetClusterResource", clusterId=cluster_id)
    read: list[str] = []
    p.world.store._raw.set_trace_callback(read.append)
    p.world.store.revision = object()  # nothing of the read cache is current
    assert p.ok("GetClusterResource", clusterId=cluster_id)["Resource"] == first["Resource"]
    p.ok("BatchGetInstanceRunSummary", projectName="p", jobNames="j", jobType="flink_stream")
    assert any("instances" in statement for statement in read)
    assert not [statement for statement in read if ".code" in statement]


def test_a_page_of_many_jobs_is_read_once_and_a_summary_of_few_reads_no_others(
    p: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted in SQLite's steps and characters of statements, with the rows of a page read one after another."""
    monkeypatch.setattr(paging, "MOST_WEIGHT", 50_000)
    p.ok("UpdateJob", projectName="p", jobName="j", packages="a")
    p.ok("CommitJob", projectName="p", jobName="j")
    (job,), (copy,) = (p.world.store.find(model, equal(model.project_name, "p")) for model in (Job, CommittedJob))
    raw = p.world.store._raw
    ticks: list[None] = []
    statements: list[str] = []

    def count(operation: str, **given: Any) -> tuple[int, int]:
        ticks.clear()
        statements.clear()
        raw.set_trace_callback(statements.append)
        raw.set_progress_handler(lambda: ticks.append(None), 10)
        p.ok(operation, projectName="p", **given)
        raw.set_progress_handler(None, 0)
        raw.set_trace_callback(None)
        return len(ticks), sum(map(len, statements))

    summary: dict[str, Any] = {"jobNames": "j,j1", "jobType": "flink_stream"}
    with p.world.transaction():
        for model, row in ((Job, job), (CommittedJob, copy)):
            p.world.store.insert(*(changed(row, assign(Job.job_name, f"j{number}")) for number in range(1000)))
            assert p.world.store.count(model) > 1000
    assert count("BatchGetInstanceRunSummary", **summary)[0] < 100
    assert count("GetRefPackageJob", packageName="a", pageSize=100)[1] < 200_000


def test_what_a_replaced_instance_takes_is_counted_anew(p: Api) -> None:
    p.ok("CommitJob", projectName="p", jobName="j")
    instance_id = p.ok("StartJob", projectName="p", jobName="j")["instanceId"]
    cluster_id = p.ok("ListCluster")["Clusters"]["Cluster"][0]["ClusterId"]
    asked: dict[str, Any] = {"clusterId": cluster_id}
    before = p.ok("GetClusterResource", **asked)["Resource"]["AllocatedVirtualCores"]
    job = {"JobName": "j", "PlanJson": '{"nodes":[{"id":1,"core":7}]}', "instances": [{"Id": instance_id}]}
    seed = {"projects": [{"Name": "p", "ClusterId": cluster_id, "jobs": [job]}]}
    assert p.request("POST", "/_emulator/worlds/default/seed", json=seed).status_code == 204
    after = p.ok("GetClusterResource", **asked)["Resource"]["AllocatedVirtualCores"]
    assert (before != 700, after) == (True, 700)


def test_the_texts_of_every_table_are_bounded() -> None:
    tables = Row.metadata.tables.values()
    with_texts = {table.name for table in tables if any(isinstance(column.type, AutoString) for column in table.c)}
    bounded = {model.table().name for model in consistency._WITH_TEXTS}
    assert with_texts == bounded | {"clock"}, "that of a clock is one of two words"
