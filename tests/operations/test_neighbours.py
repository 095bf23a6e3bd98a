"""What a call changes or lists is its own: a neighbour of the same name, kind or time stays out of it."""

import json
from typing import Any

import pytest

from foas_emulator.operations.autoscale.rows import AutoScalePlan
from foas_emulator.operations.packages.rows import Package
from foas_emulator.operations.queues import service as queues
from foas_emulator.operations.queues.rows import Queue
from foas_emulator.operations.tags.rows import Tag
from foas_emulator.world.tables import assign, equal
from tests.api import Api
from tests.operations import building

SCALED: dict[str, Any] = {"isOnOff": True, "maxCU": 4, "configure": '{"fetch_delay":1}'}


@pytest.fixture
def two(api: Api) -> Api:
    """Projects `p` and `q` with a queue each."""
    building.stand_still(api)
    for name in ("p", "q"):
        building.project_with_queue(api, name)
    return api


def package(api: Api, project_name: str, name: str = "a.jar") -> None:
    api.ok("CreatePackage", projectName=project_name, packageName=name, type="JAR", ossPath=f"{project_name}/{name}")


def packages(api: Api) -> list[tuple[str, str]]:
    return sorted((row.project_name, row.package_name) for row in api.world.store.find(Package))


def test_packages_are_those_of_their_project(two: Api) -> None:
    for project_name in ("p", "q"):
        package(two, project_name)
        package(two, project_name, f"{project_name}.jar")
    shown = two.ok("ListPackage", projectName="p")["Packages"]["Package"]
    assert [each["PackageName"] for each in shown] == ["a.jar", "p.jar"]
    two.ok("DeletePackage", projectName="p", packageName="a.jar")
    assert packages(two) == [("p", "p.jar"), ("q", "a.jar"), ("q", "q.jar")]
    two.ok("DeleteProject", projectName="p")
    assert packages(two) == [("q", "a.jar"), ("q", "q.jar")]


def test_queues_are_those_of_their_cluster(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = building.cluster(api), building.cluster(api)
    for cluster_id in (first, second):
        building.queue(api, cluster_id, "root.a", vcore=1, mem=1)
        building.queue(api, cluster_id, "root.b", vcore=1, mem=1)
    api.ok("DeleteQueue", clusterId=first, queueName="root.a")
    left = {(first, "root.b"), (second, "root.a"), (second, "root.b")}
    assert {(row.cluster_id, row.queue_name) for row in api.world.store.find(Queue)} == left
    monkeypatch.setattr(queues, "MOST_QUEUES", 2)
    building.queue(api, first, "root.c", vcore=1, mem=1)
    api.ok("DestroyCluster", clusterId=first)
    left = {(second, "root.a"), (second, "root.b")}
    assert {(row.cluster_id, row.queue_name) for row in api.world.store.find(Queue)} == left


def test_a_cluster_and_its_queues_are_used_by_their_own_jobs(api: Api) -> None:
    own, other = (building.project(api, name) for name in ("p", "q"))
    for project_name, cluster_id in (("p", own), ("q", other)):
        building.queue(api, cluster_id, "root.a")
        api.ok("BindQueue", projectName=project_name, clusterId=cluster_id, queueName="root.a")
    building.online_job(api, project_name="p")
    api.ok("StartJob", projectName="p", jobName="j")
    used = {
        each: api.ok("GetClusterResource", clusterId=each)["Resource"]["AllocatedVirtualCores"] for each in (own, other)
    }
    assert used[own] > 0
    assert used[other] == 0
    shown = {
        each: api.ok("GetClusterQueueInfo", clusterId=each)["Queues"]["Queue"][0]["UsedVCore"] for each in (own, other)
    }
    assert shown == used


def test_tags_are_those_of_their_cluster_and_kind(api: Api) -> None:
    first, second = building.cluster(api), building.cluster(api)
    for kind in ("cluster", "other"):
        for cluster_id in (first, second):
            api.ok("TagResources", ResourceType=kind, ResourceIds=cluster_id, Tags="a:1,b:1")
    api.ok("TagResources", ResourceIds=first, Tags="a:2")
    api.ok("UntagResources", ResourceIds=first, TagKeys="b")
    found = {(row.resource_type, row.resource_id, row.tag_key): row.tag_value for row in api.world.store.find(Tag)}
    assert found == {
        ("cluster", first, "a"): "2",
        **{("cluster", second, key): "1" for key in "ab"},
        **{("other", cluster_id, key): "1" for cluster_id in (first, second) for key in "ab"},
    }


def test_plans_of_autoscale_are_those_of_their_job_and_instance(two: Api) -> None:
    """All are made in the same second, so that they have one name."""
    for project_name, job_name in (("p", "j"), ("p", "k"), ("q", "j")):
        job = {"projectName": project_name, "jobName": job_name}
        building.job(two, job_name, project_name=project_name, engineVersion="blink-3.7.8")
        two.ok("CommitJob", **job, **SCALED)
        two.ok("StartJob", **job)
    plans = two.world.store.find(AutoScalePlan)
    assert sorted((plan.project_name, plan.job_name) for plan in plans) == [("p", "j"), ("p", "k"), ("q", "j")]
    assert len({plan.plan_name for plan in plans}) == 1
    with two.world.transaction():
        for plan in plans:
            marked = assign(AutoScalePlan.plan_json, json.dumps({"of": [plan.project_name, plan.job_name]}))
            two.world.store.update(AutoScalePlan, marked, where=[equal(AutoScalePlan.instance_id, plan.instance_id)])
    for project_name, job_name in (("p", "j"), ("p", "k"), ("q", "j")):
        found = two.ok("GetJobLatestAutoScalePlan", projectName=project_name, jobName=job_name)
        assert json.dumps([project_name, job_name]) in str(found)
    stop = {"projectName": "p", "jobName": "j"}
    two.ok("ModifyInstanceState", **stop, instanceId=-1, expectState="TERMINATED")
    two.ok("OfflineJob", **stop)
    two.ok("DeleteJob", **stop)
    plans = two.world.store.find(AutoScalePlan)
    assert sorted((plan.project_name, plan.job_name) for plan in plans) == [("p", "k"), ("q", "j")]


def test_a_cluster_is_made_of_its_own_order(api: Api) -> None:
    building.order(api, slaveNum=3, masterSpec="Ecs_4c16g")
    second = building.cluster(api, slaveNum=5, masterSpec="Ecs_8c32g")
    infos = json.loads(api.ok("GetClusterDetails", clusterId=second)["Details"]["InstanceInfos"])
    assert len(infos["slaves"]) == 5
    assert {machine["model"] for machine in infos["masters"]} == {"Ecs_8c32g"}


def test_a_change_of_another_cluster_takes_no_machines_from_this_one(api: Api) -> None:
    api.advance("0s")
    first, second = building.cluster(api, slaveNum=4), building.cluster(api, slaveNum=4)
    api.world.set({"cluster_delay": "10s"})
    api.ok("ShrinkCluster", clusterId=first, modelTargetCount="2")
    building.queue(api, second, "root.all", vcore=1200, mem=49152)
    api.refused(
        "CreateQueue",
        clusterId=first,
        queueName="root.all",
        maxVcore=1200,
        maxMemMB=49152,
        code="InvalidQueue.InsufficientResource",
    )
