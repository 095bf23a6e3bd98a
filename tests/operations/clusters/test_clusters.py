"""The rules of clusters."""

import json
from typing import Any

import pytest

from foas_emulator.blink.lenient_json import LONGEST
from foas_emulator.blink.plan import Plan
from foas_emulator.blink.planner import running_plan
from foas_emulator.blink.resource import MODELS
from foas_emulator.operations.clusters.rows import Cluster, ClusterOrder, cluster_ids
from foas_emulator.operations.clusters.service import MOST_REMOVED, MOST_SLAVES, MOST_SWITCHES
from foas_emulator.operations.columns import ACCOUNT
from foas_emulator.operations.instances import engine
from foas_emulator.seeds.applying import apply
from foas_emulator.seeds.consistency import check_world
from foas_emulator.seeds.reading import parse_seed
from foas_emulator.world.ids import token
from foas_emulator.world.tables import assign, equal
from tests.api import Api
from tests.operations import building


def machines(api: Api, cluster_id: str) -> Any:
    return json.loads(building.cluster_details(api, cluster_id)["InstanceInfos"])


def slave_ids(api: Api, cluster_id: str) -> list[str]:
    return [machine["instanceId"] for machine in machines(api, cluster_id)["slaves"]]


def listed(api: Api, **conditions: Any) -> list[Any]:
    clusters = api.ok("ListCluster", **conditions)["Clusters"]["Cluster"]
    return [cluster["ClusterId"] for cluster in clusters]


# -- orders


def test_an_order_is_a_number_of_its_own(api: Api) -> None:
    first, second = building.order(api), building.order(api)
    assert first == "285769237053"
    assert first != second
    assert second.isdigit()


@pytest.mark.parametrize("missing", building.MACHINES)
def test_an_order_needs_everything_but_a_period(api: Api, missing: str) -> None:
    given = {name: value for name, value in building.MACHINES.items() if name != missing}
    api.refused("CreateCellClusterOrder", **given, code=f"Missing{missing}")


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("payModel", "later"),
        ("region", ""),
        ("masterSpec", "Ecs_1c1g"),
        ("masterNum", 2),
        ("masterNum", 0),
        ("slaveSpec", "ecs_4c16g"),
        ("slaveNum", 1),
        ("slaveNum", 1001),
        ("period", 0),
        ("period", 13),
    ],
)
def test_an_order_is_of_machines_that_there_are(api: Api, parameter: str, value: Any) -> None:
    api.refused("CreateCellClusterOrder", **building.MACHINES | {parameter: value}, code=f"Invalid{parameter}")


def test_an_order_paid_in_advance_needs_a_period(api: Api) -> None:
    api.refused("CreateCellClusterOrder", **building.MACHINES | {"payModel": "pre"}, code="Missingperiod")
    api.ok("CreateCellClusterOrder", **building.MACHINES | {"payModel": "PRE", "period": 12})


# -- making a cluster


def test_a_cluster_is_shown_with_all_that_was_given(api: Api) -> None:
    cluster_id = building.cluster(api, masterNum=3, slaveSpec="Ecs_8c32g")
    assert len(cluster_id) == 24
    shown = building.cluster_details(api, cluster_id)
    infos = json.loads(shown.pop("InstanceInfos"))
    assert [machine["model"] for machine in infos["masters"]] == ["Ecs_4c16g"] * 3
    assert [machine["model"] for machine in infos["slaves"]] == ["Ecs_8c32g"] * 2
    assert json.loads(shown.pop("UserOssInfo")) == {
        "endpoint": "oss-cn-hangzhou.aliyuncs.com",
        "vpcEndpoint": "oss-cn-hangzhou-internal.aliyuncs.com",
        "oxsEndpoint": "oss-cn-hangzhou-internal.aliyuncs.com",
        "accessId": None,
        "accessKey": None,
        "bucket": "bucket",
    }
    created = shown.pop("GmtCreate")
    assert shown.pop("UserSGId").startswith("sg-")
    assert shown == {
        "ClusterId": cluster_id,
        "RegionId": "cn-hangzhou",
        "ZoneId": "cn-hangzhou-f",
        "State": "RUNNING",
        "Description": "a cluster",
        "DisplayName": "demo",
        "OwnerId": ACCOUNT,
        "Operator": ACCOUNT,
        "StorageType": "HDFS",
        "GmtModified": created,
        "UserVpcId": "vpc-1",
        "UserVSwitchList": '["vsw-1"]',
        "IsMixDeploy": False,
    }


@pytest.mark.parametrize("missing", ["zoneId", "displayName", "userOssBucket", "userVpcId", "userVSwitch"])
def test_a_cluster_needs_everything_but_a_description(api: Api, missing: str) -> None:
    given = {name: value for name, value in building.CLUSTER.items() if name not in (missing, "description")}
    api.refused("CreateCluster", orderId=building.order(api), **given, code=f"Missing{missing}")


def test_a_cluster_needs_an_order(api: Api) -> None:
    api.refused("CreateCluster", **building.CLUSTER, code="MissingorderId")
    api.refused("CreateCluster", orderId="1", **building.CLUSTER, code="InvalidOrder.NotFound", status=404)


def test_an_order_becomes_one_cluster(api: Api) -> None:
    order_id = building.order(api)
    cluster_id = api.ok("CreateCluster", orderId=order_id, **building.CLUSTER)["ClusterId"]
    refusal = api.refused("CreateCluster", orderId=order_id, **building.CLUSTER, code="InvalidOrder.Used")
    assert cluster_id in refusal.hint


def test_an_order_made_in_the_console_is_the_smallest_cluster_in_the_region_of_its_zone(api: Api) -> None:
    created = api.ok("CreateCluster", orderId="blinkonecs_1234", **building.CLUSTER | {"zoneId": "cn-shanghai-f"})
    assert building.cluster_details(api, created["ClusterId"])["RegionId"] == "cn-shanghai"
    made = machines(api, created["ClusterId"])
    assert (len(made["masters"]), len(made["slaves"])) == (1, 2)
    assert {each["model"] for each in [*made["masters"], *made["slaves"]]} == {MODELS[0]}
    api.ok("ExpandCluster", clusterId=created["ClusterId"], count=3)
    api.refused("CreateCluster", orderId="blinkonecs_1234", **building.CLUSTER, code="InvalidOrder.Used")


@pytest.mark.parametrize(
    ("zone_id", "region"),
    [
        ("cn-hangzhou-finance-b", "cn-hangzhou-finance"),
        ("cn-shanghai-finance-1a", "cn-shanghai-finance-1"),
        ("ap-southeast-1a", "ap-southeast-1"),
    ],
)
def test_a_zone_is_a_region_plus_a_letter(api: Api, zone_id: str, region: str) -> None:
    given = building.CLUSTER | {"zoneId": zone_id}
    for order_id in ("blinkonecs_1", building.order(api, region=region)):
        created = api.ok("CreateCluster", orderId=order_id, **given)
        assert building.cluster_details(api, created["ClusterId"])["RegionId"] == region


@pytest.mark.parametrize(
    "zone_id", ["a", "-", "-b", "cn", "cn-hangzhou", "ap-southeast-1", "cn-hangzhoux", "cn-hangzhou-F", "cn hangzhou-f"]
)
def test_a_zone_that_is_not_a_region_plus_a_letter_is_refused(api: Api, zone_id: str) -> None:
    for order_id in ("blinkonecs_1", building.order(api)):
        api.refused("CreateCluster", orderId=order_id, **building.CLUSTER | {"zoneId": zone_id}, code="InvalidzoneId")


@pytest.mark.parametrize("zone_id", ["cn-beijing-e", "cn-hangzhou-finance-b", "cn-hangzhou-f-f"])
def test_a_cluster_lies_in_the_region_of_its_order(api: Api, zone_id: str) -> None:
    given = building.CLUSTER | {"zoneId": zone_id}
    api.refused("CreateCluster", orderId=building.order(api), **given, code="InvalidzoneId")


def test_an_order_of_a_snapshot_without_a_region_has_no_zone(api: Api) -> None:
    order_id = building.order(api)
    with api.world.transaction():
        api.world.store.update(ClusterOrder, assign(ClusterOrder.region, ""), where=[])
    api.refused("CreateCluster", orderId=order_id, **building.CLUSTER, code="InvalidzoneId")


def test_the_largest_cluster_can_be_ordered(api: Api) -> None:
    building.order(api, slaveNum=MOST_SLAVES)


def test_a_bucket_is_reported_as_it_was_given(api: Api) -> None:
    created = api.ok("CreateCluster", orderId=building.order(api), **building.CLUSTER | {"userOssBucket": "桶"})
    shown = building.cluster_details(api, created["ClusterId"])
    assert shown["UserOssInfo"].endswith(',"bucket":"桶"}')
    assert len(shown["UserSGId"]) == len("sg-") + 20


def test_a_cluster_gets_an_id_that_no_seed_has_given(api: Api) -> None:
    """A seed has ids that are still to come if it is of an earlier world with this name, or of a fork."""
    given = {token(api.world.seed, "cluster", number) for number in range(1, 300)}
    apply(api.world, parse_seed(json.dumps({"clusters": [{"ClusterId": each} for each in given]}), "seed"))
    made = {building.cluster(api) for _ in range(3)}
    assert len(made) == 3
    assert made.isdisjoint(given)
    assert given < set(cluster_ids(api.world.store))
    check_world(api.world.store)


def test_a_world_with_an_id_that_is_still_to_come_can_be_restored(api: Api) -> None:
    apply(api.world, parse_seed(json.dumps({"clusters": [{"ClusterId": token(api.world.seed, "cluster", 1)}]}), "seed"))
    check_world(api.world.store)


# -- looking at clusters


def test_an_absent_cluster_is_not_found(api: Api) -> None:
    for operation, given in (
        ("GetClusterDetails", {}),
        ("GetClusterEngineVersions", {}),
        ("GetClusterResource", {}),
        ("ExpandCluster", {"count": 3}),
        ("ShrinkCluster", {"modelTargetCount": 2}),
        ("ModifyMasterSpec", {"masterTargetModel": "Ecs_8c32g"}),
        ("DestroyCluster", {}),
    ):
        api.refused(operation, clusterId="absent", **given, code="InvalidCluster.NotFound", status=404)


def test_clusters_are_listed_newest_first(api: Api) -> None:
    first = building.cluster(api)
    api.advance("1s")
    second = building.cluster(api)
    assert listed(api) == [second, first]


def test_a_list_of_clusters_shows_their_summaries(api: Api) -> None:
    cluster_id = building.cluster(api)
    (shown,) = api.ok("ListCluster")["Clusters"]["Cluster"]
    created = shown.pop("GmtCreate")
    assert shown == {
        "Operator": ACCOUNT,
        "Description": "a cluster",
        "ZoneId": "cn-hangzhou-f",
        "OwnerId": ACCOUNT,
        "ClusterId": cluster_id,
        "State": "RUNNING",
        "DisplayName": "demo",
        "GmtModified": created,
        "RegionId": "cn-hangzhou",
    }


@pytest.mark.parametrize(
    ("condition", "value", "count"),
    [
        ("displayName", "em", 2),
        ("displayName", "x", 0),
        ("state", "running", 1),
        ("state", "DESTROYED", 1),
        ("state", "MAINTAINING", 0),
        ("region", "cn-hangzhou", 2),
        ("region", "cn-beijing", 0),
    ],
)
def test_a_list_of_clusters_is_narrowed_by_each_condition(api: Api, condition: str, value: Any, count: int) -> None:
    building.cluster(api)
    api.ok("DestroyCluster", clusterId=building.cluster(api))
    assert len(listed(api, **{condition: value})) == count


def test_a_state_that_no_cluster_can_have_is_not_listed(api: Api) -> None:
    api.refused("ListCluster", state="CREATING", code="Invalidstate")


def test_a_cluster_has_engine_versions_behind_their_tags(api: Api) -> None:
    members = api.ok("GetClusterEngineVersions", clusterId=building.cluster(api))
    assert members["EngineVersions"]["EngineVersion"] == ["current--blink-3.4.4", "beta--blink-3.7.8"]


@pytest.mark.parametrize(
    ("machines", "vcore", "mem"),
    [
        ({}, 600, 24576),  # the documented answer
        ({"slaveNum": 5}, 1500, 61440),
        ({"slaveSpec": "Ecs_64c256g"}, 12600, 516096),
    ],
)
def test_the_slaves_of_a_cluster_are_its_resources(api: Api, machines: Any, vcore: Any, mem: Any) -> None:
    resource = api.ok("GetClusterResource", clusterId=building.cluster(api, **machines))["Resource"]
    assert resource == {
        "TotalMB": mem,
        "AllocatedVirtualCores": 0,
        "AllocatedMB": 0,
        "AvailableMB": mem,
        "TotalVirtualCores": vcore,
        "AvailableVirtualCores": vcore,
    }


@pytest.mark.parametrize("infos", [None, "{k:v}"])
def test_a_destroyed_cluster_shows_no_machines_and_has_no_resources(api: Api, infos: str | None) -> None:
    cluster_id = building.cluster(api)
    with api.world.transaction():
        api.world.store.update(
            Cluster, assign(Cluster.instance_infos, infos), where=[equal(Cluster.cluster_id, cluster_id)]
        )
    assert "InstanceInfos" in building.cluster_details(api, cluster_id)
    api.ok("DestroyCluster", clusterId=cluster_id)
    assert "InstanceInfos" not in building.cluster_details(api, cluster_id)
    assert set(api.ok("GetClusterResource", clusterId=cluster_id)["Resource"].values()) == {0}


def test_what_running_instances_ask_for_is_allocated_as_their_queue_says(api: Api) -> None:
    cluster_id = building.project_with_queue(api, "p")
    building.online_job(api, "j")
    api.ok("StartJob", projectName="p", jobName="j")
    resource = api.ok("GetClusterResource", clusterId=cluster_id)["Resource"]
    (queue,) = api.ok("GetClusterQueueInfo", clusterId=cluster_id)["Queues"]["Queue"]
    assert (resource["AllocatedVirtualCores"], resource["AllocatedMB"]) == (queue["UsedVCore"], queue["UsedMem"])
    assert queue["UsedVCore"] > 0
    assert resource["AvailableVirtualCores"] == 600 - queue["UsedVCore"]
    assert resource["AvailableMB"] == 24576 - queue["UsedMem"]


def test_what_is_allocated_is_counted_once_for_each_plan(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[str, ...]] = []

    def count(*texts: str, **more: Any) -> Plan:
        made.append(texts)
        return running_plan(*texts, **more)

    monkeypatch.setattr(engine, "running_plan", count)
    cluster_id = building.project_with_queue(api, "p")
    for name, code in (("a", "same"), ("b", "same"), ("c", "other")):
        building.online_job(api, name, code=code, planJson='{"nodes":[{"type":"neither"}]}')
        api.ok("StartJob", projectName="p", jobName=name)
    asked = [api.call("GetClusterResource", clusterId=cluster_id) for _ in range(2)]
    assert len(made) == 2
    assert asked[0].members == asked[1].members
    assert all("planJson cannot be read" in each.headers["x-emulator-warning"] for each in asked)
    api.ok("UpdateJob", projectName="p", jobName="a", planJson='{"nodes":[{"id":1,"core":2}]}')
    api.ok("CommitJob", projectName="p", jobName="a")
    api.ok("ModifyInstanceState", projectName="p", jobName="a", instanceId=-1, expectState="TERMINATED")
    api.ok("StartJob", projectName="p", jobName="a")
    later = api.ok("GetClusterResource", clusterId=cluster_id)["Resource"]
    assert later["AllocatedVirtualCores"] > asked[0].members["Resource"]["AllocatedVirtualCores"]


def test_a_cluster_of_unknown_machines_has_nothing_to_give(api: Api) -> None:
    cluster_id = building.cluster(api)
    with api.world.transaction():
        api.world.store.update(
            Cluster, assign(Cluster.slave_spec, "Ecs_gpu"), where=[equal(Cluster.cluster_id, cluster_id)]
        )
    resource = api.ok("GetClusterResource", clusterId=cluster_id)["Resource"]
    assert (resource["TotalVirtualCores"], resource["TotalMB"], resource["AvailableMB"]) == (0, 0, 0)


def test_machines_that_were_told_are_shown_until_they_change(api: Api) -> None:
    cluster_id = building.cluster(api)
    with api.world.transaction():
        api.world.store.update(
            Cluster, assign(Cluster.instance_infos, "{k:v}"), where=[equal(Cluster.cluster_id, cluster_id)]
        )
    assert building.cluster_details(api, cluster_id)["InstanceInfos"] == "{k:v}"
    api.ok("ExpandCluster", clusterId=cluster_id, count=3)
    assert len(slave_ids(api, cluster_id)) == 3


# -- more machines


def test_a_cluster_is_expanded_to_a_number_of_slaves(api: Api) -> None:
    cluster_id = building.cluster(api)
    before = slave_ids(api, cluster_id)
    api.ok("ExpandCluster", clusterId=cluster_id, count=5, model="Ecs_4c16g")
    after = slave_ids(api, cluster_id)
    assert (len(after), after[:2]) == (5, before)
    assert api.ok("GetClusterResource", clusterId=cluster_id)["Resource"]["TotalVirtualCores"] == 1500


def test_an_expansion_needs_a_number_larger_than_there_are(api: Api) -> None:
    cluster_id = building.cluster(api)
    api.refused("ExpandCluster", clusterId=cluster_id, code="Missingcount")
    api.refused("ExpandCluster", clusterId=cluster_id, count=2, code="Invalidcount")
    api.refused("ExpandCluster", clusterId=cluster_id, count=1001, code="Invalidcount")


def test_an_expansion_adds_slaves_of_the_model_there_is(api: Api) -> None:
    cluster_id = building.cluster(api)
    api.refused("ExpandCluster", clusterId=cluster_id, count=3, model="Ecs_8c32g", code="Invalidmodel")
    for model in ("large", "Ecs_4c8g"):
        refused = api.refused("ExpandCluster", clusterId=cluster_id, count=3, model=model, code="Invalidmodel")
        assert "is not the model of the slaves, Ecs_4c16g, and models cannot be mixed" in refused.hint


@pytest.mark.parametrize(("model", "v_core", "mem"), [("Ecs_4c8g", 600, 8192), ("Ecs_8c16g", 1400, 24576)])
def test_a_cluster_can_be_of_a_model_of_the_official_samples(api: Api, model: str, v_core: int, mem: int) -> None:
    cluster_id = building.cluster(api, masterSpec=model, slaveSpec=model, slaveNum=2)
    resource = api.ok("GetClusterResource", clusterId=cluster_id)["Resource"]
    assert (resource["TotalVirtualCores"], resource["TotalMB"]) == (v_core, mem)
    api.ok("ExpandCluster", clusterId=cluster_id, count=4, model=model)
    refused = api.refused(
        "ShrinkCluster", clusterId=cluster_id, modelTargetCount='{"Ecs_4c16g":2}', code="InvalidmodelTargetCount"
    )
    assert f"is not the model of the slaves, {model}" in refused.hint
    api.ok("ShrinkCluster", clusterId=cluster_id, modelTargetCount=f'{{"{model}":2}}')


@pytest.mark.parametrize(
    ("told", "expected"),
    [('["vsw-1"]', ["vsw-1", "vsw-2"]), (None, ["vsw-2"]), ('"a"', ["a", "vsw-2"]), ("{", ["{", "vsw-2"])],
)
def test_an_expansion_adds_a_v_switch(api: Api, told: str, expected: Any) -> None:
    cluster_id = building.cluster(api)
    with api.world.transaction():
        api.world.store.update(
            Cluster, assign(Cluster.user_v_switch_list, told), where=[equal(Cluster.cluster_id, cluster_id)]
        )
    api.ok("ExpandCluster", clusterId=cluster_id, count=3, userVSwitch="vsw-2")
    assert json.loads(building.cluster_details(api, cluster_id)["UserVSwitchList"]) == expected


def test_a_cluster_has_a_bounded_number_of_v_switches_with_names_of_a_bounded_length(api: Api) -> None:
    cluster_id = building.cluster(api)
    api.refused("ExpandCluster", clusterId=cluster_id, count=3, userVSwitch="x" * 129, code="InvaliduserVSwitch")
    for count in range(3, 3 + MOST_SWITCHES - 1):
        api.ok("ExpandCluster", clusterId=cluster_id, count=count, userVSwitch=f"vsw-{count}")
    assert len(json.loads(building.cluster_details(api, cluster_id)["UserVSwitchList"])) == MOST_SWITCHES
    api.refused("ExpandCluster", clusterId=cluster_id, count=999, userVSwitch="vsw", code="InvaliduserVSwitch")
    api.ok("ExpandCluster", clusterId=cluster_id, count=999, userVSwitch="")


def test_v_switches_of_a_seed_that_are_too_long_to_read_are_not_quoted_again_and_again(api: Api) -> None:
    cluster_id = building.cluster(api)
    with api.world.transaction():
        api.world.store.update(
            Cluster,
            assign(Cluster.user_v_switch_list, '"' * (LONGEST + 1)),
            where=[equal(Cluster.cluster_id, cluster_id)],
        )
    api.refused("ExpandCluster", clusterId=cluster_id, count=3, userVSwitch="vsw", code="InvaliduserVSwitch")


# -- fewer machines


def test_a_cluster_gives_up_a_bounded_number_of_slaves(api: Api) -> None:
    cluster_id = building.cluster(api, slaveNum=4)
    removed = ",".join(map(str, range(1, MOST_REMOVED)))
    with api.world.transaction():
        api.world.store.update(
            Cluster, assign(Cluster.removed_slaves, removed), where=[equal(Cluster.cluster_id, cluster_id)]
        )
    given: dict[str, Any] = {"clusterId": cluster_id, "code": "InvalidmodelTargetCount"}
    assert "at most 10000 slaves" in api.refused("ShrinkCluster", modelTargetCount=2, **given).hint
    api.ok("ShrinkCluster", clusterId=cluster_id, modelTargetCount=3)
    check_world(api.world.store)
    api.ok("ExpandCluster", clusterId=cluster_id, count=1000)
    api.refused("ShrinkCluster", modelTargetCount=999, **given)


def test_the_slaves_of_the_given_ids_go_and_never_come_back(api: Api) -> None:
    cluster_id = building.cluster(api, slaveNum=4)
    first, second, third, fourth = slave_ids(api, cluster_id)
    api.ok("ShrinkCluster", clusterId=cluster_id, instanceIds=f"{first}, {third}")
    assert slave_ids(api, cluster_id) == [second, fourth]
    api.ok("ExpandCluster", clusterId=cluster_id, count=4)
    after = slave_ids(api, cluster_id)
    assert after[:2] == [second, fourth]
    assert not {first, third} & set(after)


@pytest.mark.parametrize("target", ["2", '{"Ecs_4c16g":2}', "{Ecs_4c16g:2}"])
def test_a_cluster_is_shrunk_to_a_number_of_slaves(api: Api, target: str) -> None:
    cluster_id = building.cluster(api, slaveNum=4)
    before = slave_ids(api, cluster_id)
    api.ok("ShrinkCluster", clusterId=cluster_id, modelTargetCount=target)
    assert slave_ids(api, cluster_id) == before[:2]


def test_given_ids_win_over_a_number(api: Api) -> None:
    cluster_id = building.cluster(api, slaveNum=4)
    first = slave_ids(api, cluster_id)[0]
    api.ok("ShrinkCluster", clusterId=cluster_id, instanceIds=first, modelTargetCount="2")
    assert len(slave_ids(api, cluster_id)) == 3


@pytest.mark.parametrize(
    "target", ["1", "0", "-1", "4", "x", "2.5", "true", '{"Ecs_8c32g":2}', "{", '{"a":2,"Ecs_4c16g":2}']
)
def test_a_number_of_slaves_to_keep_is_two_at_least_and_less_than_there_are(api: Api, target: str) -> None:
    cluster_id = building.cluster(api, slaveNum=4)
    api.refused("ShrinkCluster", clusterId=cluster_id, modelTargetCount=target, code="InvalidmodelTargetCount")


def test_only_slaves_of_the_cluster_are_removed_and_two_are_left(api: Api) -> None:
    cluster_id = building.cluster(api, slaveNum=3)
    infos = machines(api, cluster_id)
    master = infos["masters"][0]["instanceId"]
    two = ",".join(machine["instanceId"] for machine in infos["slaves"][:2])
    api.refused("ShrinkCluster", clusterId=cluster_id, instanceIds=master, code="InvalidinstanceIds")
    api.refused("ShrinkCluster", clusterId=cluster_id, instanceIds=two, code="InvalidinstanceIds")
    api.refused("ShrinkCluster", clusterId=cluster_id, instanceIds=",", code="InvalidinstanceIds")
    api.refused("ShrinkCluster", clusterId=cluster_id, code="MissinginstanceIds")


def test_a_cluster_keeps_what_its_queues_have_taken(api: Api) -> None:
    cluster_id = building.cluster(api, slaveNum=3)
    building.queue(api, cluster_id, "root.a", vcore=601, mem=1024)
    api.refused("ShrinkCluster", clusterId=cluster_id, modelTargetCount="2", code="InvalidCluster.InUse")
    api.ok("UpdateQueue", clusterId=cluster_id, queueName="root.a", maxVcore=600)
    api.ok("ShrinkCluster", clusterId=cluster_id, modelTargetCount="2")


# -- other masters, and none


def test_the_masters_get_another_model(api: Api) -> None:
    cluster_id = building.cluster(api, masterNum=3)
    before = machines(api, cluster_id)
    api.ok("ModifyMasterSpec", clusterId=cluster_id, masterTargetModel="Ecs_8c32g")
    after = machines(api, cluster_id)
    assert [machine["model"] for machine in after["masters"]] == ["Ecs_8c32g"] * 3
    assert after["slaves"] == before["slaves"]


def test_other_masters_are_of_another_model_that_there_is(api: Api) -> None:
    cluster_id = building.cluster(api)
    api.refused("ModifyMasterSpec", clusterId=cluster_id, code="MissingmasterTargetModel")
    for model in ("Ecs_4c16g", "large"):
        given: dict[str, Any] = {"clusterId": cluster_id, "masterTargetModel": model}
        api.refused("ModifyMasterSpec", **given, code="InvalidmasterTargetModel")


def test_a_destroyed_cluster_stays_in_the_list_and_its_queues_are_gone(api: Api) -> None:
    cluster_id = building.cluster(api)
    building.queue(api, cluster_id, "root.a")
    api.ok("DestroyCluster", clusterId=cluster_id)
    assert listed(api, state="DESTROYED") == [cluster_id]
    assert api.ok("GetClusterQueueInfo", clusterId=cluster_id) == {"Queues": {"Queue": []}}


def test_a_cluster_with_a_project_is_not_destroyed(api: Api) -> None:
    cluster_id = building.project(api, "p")
    building.project(api, "q", cluster_id=cluster_id)
    refusal = api.refused("DestroyCluster", clusterId=cluster_id, code="InvalidCluster.InUse")
    assert "has projects (2), 'p' among them" in refusal.hint
    api.ok("DeleteProject", projectName="q")
    api.ok("DeleteProject", projectName="p")
    api.ok("DestroyCluster", clusterId=cluster_id)


def test_a_cluster_whose_queue_a_project_on_another_cluster_has_is_not_destroyed(api: Api) -> None:
    building.project(api, "p")
    cluster_id = building.cluster(api)
    building.queue(api, cluster_id, "root.q")
    bound: dict[str, Any] = {"projectName": "p", "clusterId": cluster_id, "queueName": "root.q"}
    api.ok("BindQueue", **bound)
    refusal = api.refused("DestroyCluster", clusterId=cluster_id, code="InvalidCluster.InUse")
    assert "'p'; UnbindQueue" in refusal.hint
    api.ok("UnbindQueue", **bound)
    api.ok("DestroyCluster", clusterId=cluster_id)


@pytest.mark.parametrize(
    ("operation", "given"),
    [
        ("ExpandCluster", {"count": 4}),
        ("ShrinkCluster", {"modelTargetCount": "2"}),
        ("ModifyMasterSpec", {"masterTargetModel": "Ecs_8c32g"}),
        ("DestroyCluster", {}),
    ],
)
def test_a_cluster_paid_in_advance_stays_as_it_is(api: Api, operation: str, given: Any) -> None:
    cluster_id = building.cluster(api, payModel="pre", period=1, slaveNum=3)
    api.refused(operation, clusterId=cluster_id, **given, code="InvalidCluster.Prepaid")


def test_a_world_makes_the_same_ids_again(api: Api) -> None:
    first = building.cluster(api)
    details_before = building.cluster_details(api, first)
    api.registry.reset("default")
    assert building.cluster(api) == first
    again = building.cluster_details(api, first)
    assert again["InstanceInfos"] == details_before["InstanceInfos"]
    assert again["UserSGId"] == details_before["UserSGId"]
