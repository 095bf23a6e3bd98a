"""How many rows of a kind a world may have, by calls and by documents: lists count them all for every call."""

from typing import Any

import pytest

from foas_emulator.operations.clusters import service as clusters
from foas_emulator.operations.clusters.rows import Cluster
from foas_emulator.operations.instances import lifecycle as instances
from foas_emulator.operations.instances.rows import Instance
from foas_emulator.operations.jobs.rows import Job
from foas_emulator.operations.packages.rows import Package
from foas_emulator.operations.projects import service as projects
from foas_emulator.operations.projects.rows import Project
from foas_emulator.operations.tags import service as tags
from foas_emulator.seeds import applying, consistency
from foas_emulator.world.pending import PendingChange
from tests.api import Api
from tests.operations import building

WORLD = "/_emulator/worlds/default"


def put(api: Api, seed: dict[str, Any]) -> str:
    """Return the hint with which a seed is refused, empty if it is applied."""
    response = api.request("POST", f"{WORLD}/seed", json=seed)
    return "" if response.is_success else str(response.json()["hint"])


def refused(api: Api, snapshot: Any) -> str:
    """Return the hint with which a snapshot is refused, empty if it is restored."""
    response = api.request("PUT", f"{WORLD}/snapshot", json=snapshot)
    return "" if response.is_success else str(response.json()["hint"])


def refused_snapshot(api: Api, *, end: bytes = b"") -> str:
    """Return the hint with which the world's own snapshot is refused, empty if it is restored.

    One with another `end` is looked at anew; the image of one that is known is kept.
    """
    content = api.request("GET", f"{WORLD}/snapshot").content
    response = api.request("PUT", f"{WORLD}/snapshot", content=content + end)
    return "" if response.is_success else str(response.json()["hint"])


def test_a_project_has_so_many_instances(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    building.project_with_queue(api, "p")
    building.online_job(api, "j", project_name="p")
    life: dict[str, Any] = {"projectName": "p", "jobName": "j"}
    api.ok("StartJob", **life)
    api.ok("ModifyInstanceState", **life, instanceId=-1, expectState="PAUSED")
    monkeypatch.setattr(instances, "MOST_INSTANCES", api.world.store.count(Instance))
    resume: dict[str, Any] = {**life, "instanceId": -1, "expectState": "RUNNING"}
    api.refused("ModifyInstanceState", **resume, code="InvalidInstance.LimitExceeded")
    summary = api.ok("GetInstanceRunSummary", **life, instanceId=-1)["RunSummary"]
    assert summary["ActualState"] == "PAUSED"
    building.project_with_queue(api, "q")
    building.online_job(api, "j", project_name="q")
    api.ok("StartJob", projectName="q", jobName="j")
    monkeypatch.setattr(instances, "MOST_INSTANCES", 2)
    api.ok("ModifyInstanceState", **resume)


def test_a_world_has_so_many_projects_and_clusters(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster_id = building.project_with_queue(api, "p")
    monkeypatch.setattr(projects, "MOST_PROJECTS", api.world.store.count(Project) + 1)
    building.project(api, "q", cluster_id=cluster_id)
    more: dict[str, Any] = {"deployType": "public", "orderId": "1"}
    api.refused("CreateProject", name="r", **more, code="InvalidProject.LimitExceeded")
    api.refused("CreateProject", name="q", **more, code="InvalidProject.Duplicate")
    api.ok("DeleteProject", projectName="q")
    api.ok("CreateProject", name="r", **more)
    monkeypatch.setattr(clusters, "MOST_CLUSTERS", api.world.store.count(Cluster) + 1)
    building.cluster(api)
    given = {"orderId": building.order(api)} | building.CLUSTER
    api.refused("CreateCluster", **given, code="InvalidCluster.LimitExceeded")


def test_a_cluster_has_so_many_tags_and_one_call_puts_or_clears_so_many(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster_id = building.cluster(api)
    api.ok("TagResources", ResourceIds=cluster_id, Tags=",".join(f"k{number}" for number in range(200)))
    api.ok("TagResources", ResourceIds=cluster_id, Tags="k0:other")
    api.refused("TagResources", ResourceIds=cluster_id, Tags="one,k0:third", code="InvalidTag.LimitExceeded")
    assert api.ok("ListTagResources", Tags="k0,one")["Data"]["TagResources"] == [
        {"ResourceType": "cluster", "ResourceId": cluster_id, "TagKey": "k0", "TagValue": "other"}
    ]
    api.ok("UntagResources", ResourceIds=cluster_id, TagKeys="k0")
    api.ok("TagResources", ResourceIds=cluster_id, Tags="one")
    few, more, many = (",".join(f"c{number}" for number in range(count)) for count in (200, 201, 501))
    put = api.refused("TagResources", ResourceIds=many, Tags="k", code="InvalidTags")
    assert "501 are more than the 500" in str(put.hint)
    cleared = api.refused("UntagResources", ResourceIds=more, All=True, code="InvalidResourceIds")
    assert "201 are more than the 200" in str(cleared.hint)
    api.ok("UntagResources", ResourceIds=few, All=True)
    api.ok("UntagResources", ResourceIds=more, TagKeys="k")
    assert refused_snapshot(api) == ""
    monkeypatch.setattr(tags, "MOST_TAGS", 201)
    api.ok("TagResources", ResourceIds=cluster_id, Tags="k0")
    assert "has over 200 tags" in refused_snapshot(api)


def test_a_world_has_so_many_tags(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = building.cluster(api), building.cluster(api)
    monkeypatch.setattr(tags, "MOST_TAGS_OF_WORLD", 3)
    api.ok("TagResources", ResourceIds=one, Tags="a,b")
    more: dict[str, Any] = {"ResourceType": "another", "ResourceIds": other, "Tags": "a,b"}
    put = api.refused("TagResources", **more, code="InvalidTag.LimitExceeded")
    assert "World default would have more than 3 tags" in str(put.hint)
    assert len(api.ok("ListTagResources")["Data"]["TagResources"]) == 2
    api.ok("TagResources", **more | {"Tags": "a"})
    api.ok("TagResources", ResourceIds=one, Tags="a:new")
    assert refused_snapshot(api) == ""
    monkeypatch.setattr(consistency, "MOST_TAGS_OF_WORLD", 2)
    assert "there are over 2 tags" in refused_snapshot(api, end=b" ")


def test_seeds_are_held_to_these_counts(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    clusters_before, projects_before = api.world.store.count(Cluster), api.world.store.count(Project)
    monkeypatch.setattr(applying, "MOST_CLUSTERS", clusters_before + 1)
    monkeypatch.setattr(applying, "MOST_PROJECTS", projects_before + 1)
    monkeypatch.setattr(applying, "MOST_INSTANCES", 2)
    monkeypatch.setattr(applying, "MOST_PARTS", 2)
    both = {"clusters": [{"ClusterId": "a"}, {"ClusterId": "b"}]}
    assert f"clusters: the world would have over {clusters_before + 1} clusters" in put(api, both)
    two = {"projects": [{"Name": "a"}, {"Name": "b"}]}
    assert f"projects: the world would have over {projects_before + 1} projects" in put(api, two)
    running = {"ActualState": "RUNNING"}
    jobs = [{"JobName": "j", "instances": [running, running]}, {"JobName": "k", "instances": [running]}]
    many = {"projects": [{"Name": "a", "jobs": jobs}]}
    assert "projects[0].jobs: together they have over 2 instances" in put(api, many)
    three = [{"JobName": name, "PackageName": name} for name in ("x", "y", "z")]
    for part, name in (("jobs", "JobName"), ("packages", "PackageName")):
        parts = {"projects": [{"Name": "a", part: [{name: each[name]} for each in three]}]}
        assert f"projects[0].{part}: the project would have over 2 {part}" in put(api, parts)
    assert api.world.store.count(Project) == projects_before
    few = {"clusters": [{"ClusterId": "a"}], "projects": [{"Name": "a", "jobs": jobs[:1]}]}
    assert put(api, few) == ""
    assert put(api, few) == ""


@pytest.mark.parametrize(
    ("model", "limit"),
    [
        (Cluster, "MOST_CLUSTERS"),
        (Project, "MOST_PROJECTS"),
        (Instance, "_COUNTS"),
        (Job, "_COUNTS"),
        (Package, "_COUNTS"),
        (PendingChange, "_COUNTS"),
    ],
)
def test_snapshots_are_held_to_these_counts(
    seeded_api: Api, monkeypatch: pytest.MonkeyPatch, model: Any, limit: str
) -> None:
    packages = [{"PackageName": "a.jar"}, {"PackageName": "b.jar"}]
    later = [{"after": "1h", "ActualState": "FAILED"}] * 2
    jobs = [{"JobName": "with-timeline", "instances": [{"ActualState": "RUNNING", "timeline": later}]}]
    assert put(seeded_api, {"projects": [{"Name": "with-packages", "packages": packages, "jobs": jobs}]}) == ""
    count = seeded_api.world.store.count(model)
    assert count > 1
    assert refused_snapshot(seeded_api) == ""
    one = tuple((each, owner, 1) for each, owner, _ in consistency._COUNTS if each is model)
    monkeypatch.setattr(consistency, limit, one or count - 1)
    assert "over" in refused_snapshot(seeded_api, end=b" ")


def test_snapshots_give_a_job_no_more_sessions_plans_and_packages_than_calls_look_through(api: Api) -> None:
    building.project_with_queue(api, "p")
    building.online_job(api, "j", project_name="p")
    api.ok("StartJob", projectName="p", jobName="j")
    api.ok("GetRawPlanJson", projectName="p", jobName="j")
    api.request("POST", f"{WORLD}/clock/advance", json={"by": "1h"})
    snapshot = api.request("GET", f"{WORLD}/snapshot").json()
    tables = snapshot["tables"]
    instance = tables["instances"][-1]
    plan = {"instance_id": instance["id"], "project_name": "p", "job_name": "j", "plan_json": ""}
    tables["autoscale_plans"] = [plan | {"plan_name": f"{number}"} for number in range(1000)]
    session = tables["plan_sessions"][-1]
    tables["plan_sessions"] = [session | {"session_id": f"s{number}"} for number in range(1000)]
    tables["jobs"][-1]["packages"] = "\N{GRINNING FACE}" * 65_536

    assert refused(api, snapshot) == ""
    for name, key in (("plan_sessions", "session_id"), ("autoscale_plans", "plan_name")):
        tables[name].append(tables[name][0] | {key: "more"})
        assert f"has over 1000 {name}" in refused(api, snapshot)
        tables[name].pop()
    for name in ("jobs", "committed_jobs", "instances"):
        before = tables[name][-1]["packages"]
        tables[name][-1]["packages"] = "a.jar," * 43_691
        assert f"{name} " in refused(api, snapshot)
        assert "has packages of over 65536 characters" in refused(api, snapshot)
        tables[name][-1]["packages"] = before


def test_snapshots_give_a_project_no_more_sessions_and_plans_than_a_call_deletes_quickly(api: Api) -> None:
    assert put(api, {"projects": [{"Name": "p", "jobs": [{"JobName": "j"}]}]}) == ""
    api.ok("GetRawPlanJson", projectName="p", jobName="j")
    snapshot = api.request("GET", f"{WORLD}/snapshot").json()
    tables = snapshot["tables"]
    (job,), (session,) = tables["jobs"], tables["plan_sessions"]
    tables["jobs"] = [job | {"job_name": f"j{number}"} for number in range(11)]
    tables["committed_jobs"].clear()
    ids = [{"job_name": f"j{number % 11}", "session_id": f"s{number}"} for number in range(10_001)]
    tables["plan_sessions"] = [session | each for each in ids]
    assert "project_name 'p' has over 10000 plan_sessions" in refused(api, snapshot)
    tables["plan_sessions"].pop()
    assert refused(api, snapshot) == ""


def test_snapshots_give_an_instance_and_a_project_no_more_changes_and_queues_than_calls_look_through(api: Api) -> None:
    building.project_with_queue(api, "p")
    snapshot = api.request("GET", f"{WORLD}/snapshot").json()
    tables = snapshot["tables"]
    other = tables["clusters"][-1] | {"cluster_id": "other", "order_id": "other"}
    tables["clusters"].append(other)
    queue = tables["queues"][-1]

    def fill(project_name: str | None, count: int) -> str:
        tables["queues"][:] = [queue]
        for number in range(count):
            cluster_id = "other" if number % 2 else queue["cluster_id"]
            named = {"queue_name": f"root.q{number}", "cluster_id": cluster_id, "project_name": project_name}
            tables["queues"].append(queue | named)
        return refused(api, snapshot)

    assert fill(None, 600) == ""
    assert "has over 500 queues" in fill("p", 500)
    tables["queues"][:] = [queue]
    change = {"at": 0, "subject": "instance:1", "event": "put_state", "details": "{}"}
    tables["pending_changes"] = [change | {"sequence": number} for number in range(1, 20_002)]
    assert "has over 20000 pending_changes" in refused(api, snapshot)


def test_a_hint_tells_how_many_a_project_has_if_a_seed_gave_it_more_than_calls_may_make(api: Api) -> None:
    jobs = [{"JobName": f"j{number}", "Code": ""} for number in range(101)]
    packages = [{"PackageName": f"{number}.jar", "Type": "JAR", "OssPath": "x"} for number in range(52)]
    folders = [{"Path": f"/{number}"} for number in range(53)]
    assert put(api, {"projects": [{"Name": "p", "jobs": jobs, "packages": packages, "folders": folders}]}) == ""
    calls: list[tuple[str, str, int, dict[str, Any]]] = [
        ("CreateJob", "Job", 101, {"jobName": "more", "jobType": "FLINK_STREAM", "apiType": "SQL", "code": ""}),
        ("CreatePackage", "Package", 52, {"packageName": "more.jar", "type": "JAR", "ossPath": "x"}),
        ("CreateFolder", "Folder", 53, {"path": "/more"}),
    ]
    for operation, what, count, given in calls:
        refused = api.call(operation, projectName="p", **given)
        assert refused.code == f"Invalid{what}.LimitExceeded"
        assert f"has {count} {what.lower()}s" in refused.hint
