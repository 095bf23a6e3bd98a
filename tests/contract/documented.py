"""The data that a world needs before an operation can answer what its documented sample shows.

A seed spells its members as the API does, so the structure of a sample goes into it as it stands.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from foas_emulator.seeds.applying import apply
from foas_emulator.seeds.document import SeedDocument
from tests.api import Api
from tests.operations import building

Members = Mapping[str, Any]
Before = Callable[[Api, Members], Members]

BEFORE: dict[str, Before] = {}
"""Of each operation that has samples: what prepares the world for a sample, and answers the parameters to call with."""

P = {"projectName": "project1"}
J = P | {"jobName": "job1"}
RUNNING = J | {"instanceId": -1}
CLUSTER = "cmy99ugusuco66x9qc6k****"
QUEUE = "root.project1"

_AUTO_SCALE = '{"isOnOff":true,"strategyConfigure":{"fetch_delay":44.5},"maxCU":10.0}'
_QUERY = '{{"queries":[{{"metric":"{cluster}.system.mem.memtotal","aggregator":"avg","downsample":"avg"}}]}}'


def before(operation: str) -> Callable[[Before], Before]:
    def enter(prepare: Before) -> Before:
        BEFORE[operation] = prepare
        return prepare

    return enter


def seed(api: Api, *, clusters: list[Members] | None = None, **project: Any) -> None:
    """Put clusters into the world, and a project1 with these members unless there are none."""
    document: dict[str, Any] = {"clusters": clusters or [{"ClusterId": CLUSTER}]}
    if project:
        document["projects"] = [{"Name": "project1", **project}]
    apply(api.world, SeedDocument.model_validate(document))


def plan(*, parallelism: int = 1, **resources: float) -> str:
    return json.dumps({"nodes": [{"id": 1, "pact": "Data Source", "parallelism": parallelism, **resources}]})


def project_with_job(api: Api, **job: Any) -> None:
    seed(api, jobs=[{"JobName": "job1", **job}])


def project_with_running_job(api: Api, **job: Any) -> None:
    project_with_job(api, instances=[{"Id": 415853}], **job)


def started_job(api: Api, *, is_scaled: bool) -> None:
    """A job that runs, and that AutoScale has made a plan for if it is to."""
    project_with_job(api, auto_scale_params=_AUTO_SCALE if is_scaled else None)
    api.ok("StartJob", **J)


# -- projects


@before("CreateProject")
def _(api: Api, _box: Members) -> Members:
    seed(api)
    about = {"orderId": "stream-abcd", "managerIds": "1234567", "description": "测试项目"}
    return {"name": "project1", "deployType": "cell", "clusterId": CLUSTER, **about}


@before("GetProject")
def _(api: Api, box: Members) -> Members:
    seed(api, clusters=[{"ClusterId": box["Project"]["ClusterId"]}], **box["Project"])
    return P


@before("ListProject")
def _(api: Api, box: Members) -> Members:
    projects = box["Projects"]["Project"]
    clusters = [{"ClusterId": project["ClusterId"]} for project in projects]
    apply(api.world, SeedDocument.model_validate({"clusters": clusters, "projects": projects}))
    return {}


@before("DeleteProject")
def _(api: Api, _box: Members) -> Members:
    seed(api, Description="test")
    return P


# -- folders


@before("CreateFolder")
def _(api: Api, box: Members) -> Members:
    seed(api, folders=[{"Path": "/", "FolderId": box["FolderId"] - 1}])
    return P | {"path": "/新手任务"}


@before("GetFolder")
def _(api: Api, box: Members) -> Members:
    seed(api, folders=[box["Folder"]])
    return P | {"path": box["Folder"]["Path"]}


@before("ListChildFolder")
def _(api: Api, box: Members) -> Members:
    seed(api, folders=box["Folders"]["Folder"])
    return P | {"path": "/path1"}


@before("MVFolder")
def _(api: Api, _box: Members) -> Members:
    seed(api, folders=[{"Path": "/path1"}])
    return P | {"srcPath": "/path1", "destPath": "/path2"}


@before("DeleteFolder")
def _(api: Api, _box: Members) -> Members:
    seed(api, folders=[{"Path": "/path1"}])
    return P | {"path": "/path1"}


# -- jobs


@before("CreateJob")
def _(api: Api, _box: Members) -> Members:
    seed(api, queues=[{"QueueName": "root.default"}])
    code = "blink.main.class=com.hjc.test.blink_test.ChinanTopSpeedWindowing2\r\nblink.job.name=datastream_prestest"
    place = {"clusterId": CLUSTER, "queueName": "root.default", "engineVersion": "blink_2.2.4"}
    return J | {"jobType": "FLINK_STREAM", "apiType": "Datastream", "code": code, "planJson": "{a:b}", **place}


def project_with_jobs_place(api: Api, job: Members, **project: Any) -> None:
    """A project, whatever the job's is called, with what the job lives in, and the job."""
    seed(
        api,
        clusters=[{"ClusterId": job["ClusterId"]}],
        queues=[{"QueueName": job["QueueName"]}],
        packages=[{"PackageName": job["Packages"]}],
        folders=[{"Path": "/jobs", "FolderId": job["FolderId"]}],
        jobs=[job],
        **project,
    )


@before("GetJob")
def _(api: Api, box: Members) -> Members:
    job = box["Job"]
    project_with_jobs_place(api, job, Name=job["ProjectName"])
    return {"projectName": job["ProjectName"], "jobName": job["JobName"]}


@before("ListJob")
def _(api: Api, box: Members) -> Members:
    (job,) = box["Jobs"]["Job"]
    project_with_jobs_place(api, job)
    return P


@before("UpdateJob")
def _(api: Api, _box: Members) -> Members:
    project_with_job(api)
    return J | {"description": "test"}


@before("DeleteJob")
@before("CommitJob")
def _(api: Api, _box: Members) -> Members:
    project_with_job(api, IsCommitted=False)
    return J


@before("ValidateJob")
def _(api: Api, _box: Members) -> Members:
    columns = "id BIGINT, phone VARCHAR"
    code = f"""
        CREATE TABLE datahub_input1 ({columns}) WITH (type = 'datahub');
        CREATE TABLE phoneNumber ({columns}, PRIMARY KEY (id), PERIOD FOR SYSTEM_TIME) WITH (type = 'ots');
        CREATE TABLE result_infor ({columns}) WITH (type = 'rds');
        INSERT INTO result_infor SELECT t.id, w.phone FROM datahub_input1 AS t
        JOIN phoneNumber FOR SYSTEM_TIME AS OF PROCTIME() AS w ON t.id = w.id;
    """
    project_with_job(api, Code=code)
    return J


@before("GetRawPlanJson")
def _(api: Api, _box: Members) -> Members:
    project_with_job(api)
    return J


@before("CheckRawPlanJson")
def _(api: Api, _box: Members) -> Members:
    project_with_job(api)
    return J | {"sessionId": api.ok("GetRawPlanJson", **J)["SessionId"]}


@before("CalcPlanJsonResource")
def _(api: Api, box: Members) -> Members:
    subtasks = round(box["PlanJsonResource"]["Cores"] * 10)
    project_with_job(api, PlanJson=plan(parallelism=subtasks))
    return J


@before("StartJob")
def _(api: Api, box: Members) -> Members:
    project_with_job(api, instances=[{"Id": box["instanceId"] - 1, "ActualState": "TERMINATED"}])
    return J


@before("OfflineJob")
def _(api: Api, _box: Members) -> Members:
    project_with_job(api)
    return J


# -- instances


@before("ListInstance")
def _(api: Api, box: Members) -> Members:
    (instance,) = box["Instances"]["Instance"]
    project_with_job(api, instances=[instance])
    return P | {"jobType": "FLINK_STREAM"}


@before("BatchGetInstanceRunSummary")
def _(api: Api, box: Members) -> Members:
    (summary,) = box["RunSummarys"]["RunSummary"]
    instance = summary | {"ExpectState": "RUNNING"}
    seed(api, jobs=[{"JobName": summary["JobName"], "instances": [instance]}])
    return P | {"jobNames": summary["JobName"], "jobType": "FLINK_STREAM"}


@before("GetInstance")
def _(api: Api, box: Members) -> Members:
    instance = box["Instance"]
    seed(
        api,
        clusters=[{"ClusterId": instance["ClusterId"]}],
        jobs=[{"JobName": "job1", "ApiType": instance["ApiType"], "instances": [instance]}],
    )
    return J | {"instanceId": instance["Id"]}


@before("GetInstanceRunSummary")
def _(api: Api, box: Members) -> Members:
    project_with_job(api, instances=[box["RunSummary"]])
    return J | {"instanceId": box["RunSummary"]["Id"]}


@before("ModifyInstanceState")
def _(api: Api, _box: Members) -> Members:
    project_with_running_job(api)
    return RUNNING | {"expectState": "PAUSED", "isFlush": True}


@before("GetInstanceConfig")
@before("GetInstanceDetail")
@before("GetInstanceExceptions")
@before("GetInstanceCheckpoint")
@before("GetInstanceFinalState")
def _(api: Api, _box: Members) -> Members:
    project_with_running_job(api)
    return RUNNING


@before("GetInstanceResource")
def _(api: Api, box: Members) -> Members:
    resource = box["Resource"]
    cores = resource["AllocatedVirtualCores"] / 100
    project_with_running_job(api, PlanJson=plan(core=cores, heap_memory=resource["AllocatedMB"]))
    return RUNNING


# -- packages


@before("CreatePackage")
def _(api: Api, _box: Members) -> Members:
    seed(api, Description="test")
    return P | {"packageName": "package1.jar", "type": "JAR", "ossPath": "path1/path2/a.jar"}


@before("GetPackage")
def _(api: Api, box: Members) -> Members:
    seed(api, packages=[box["Package"]])
    return P | {"packageName": box["Package"]["PackageName"]}


@before("GetRefPackageJob")
def _(api: Api, box: Members) -> Members:
    (job,) = box["Jobs"]["Job"]
    project_with_jobs_place(api, job, Name=job["ProjectName"])
    return {"projectName": job["ProjectName"], "packageName": job["Packages"]}


@before("ListPackage")
def _(api: Api, box: Members) -> Members:
    seed(api, packages=[package | {"ProjectName": "project1"} for package in box["Packages"]["Package"]])
    return P


@before("UpdatePackage")
@before("DeletePackage")
def _(api: Api, _box: Members) -> Members:
    seed(api, packages=[{"PackageName": "package1.jar"}])
    return P | {"packageName": "package1.jar"}


# -- queues


@before("CreateQueue")
def _(api: Api, _box: Members) -> Members:
    seed(api)
    return {"clusterId": CLUSTER, "queueName": "root.default", "maxVcore": 4, "maxMemMB": 16}


@before("UpdateQueue")
@before("DeleteQueue")
def _(api: Api, _box: Members) -> Members:
    seed(api)
    building.queue(api, CLUSTER, QUEUE)
    return {"clusterId": CLUSTER, "queueName": QUEUE}


@before("GetClusterQueueInfo")
def _(api: Api, box: Members) -> Members:
    (queue,) = box["Queues"]["Queue"]
    taken = plan(core=queue["UsedVCore"] / 100, heap_memory=queue["UsedMem"])
    job = {"JobName": "job1", "PlanJson": taken, "instances": [{"Id": 1}]}
    seed(api, clusters=[{"ClusterId": queue["ClusterId"]}], queues=[queue], jobs=[job])
    return {"clusterId": queue["ClusterId"]}


@before("BindQueue")
def _(api: Api, _box: Members) -> Members:
    seed(api)
    building.queue(api, CLUSTER, QUEUE)
    building.project(api, "project1", cluster_id=CLUSTER)
    return P | {"clusterId": CLUSTER, "queueName": QUEUE}


@before("UnbindQueue")
def _(api: Api, _box: Members) -> Members:
    seed(api, queues=[{"QueueName": QUEUE}])
    return P | {"clusterId": CLUSTER, "queueName": QUEUE}


@before("ListProjectBindQueue")
def _(api: Api, box: Members) -> Members:
    (queue,) = box["Queues"]["Queue"]
    seed(api, clusters=[{"ClusterId": queue["ClusterId"]}], queues=[queue])
    return P


@before("ListProjectBindQueueResource")
def _(api: Api, box: Members) -> Members:
    (queue,) = box["Queues"]["Queue"]
    taken = plan(core=queue["UsedVCore"] / 100, heap_memory=queue["UsedMem"])
    job = {"JobName": "job1", "PlanJson": taken, "instances": [{"Id": 1}]}
    seed(api, clusters=[{"ClusterId": queue["ClusterId"]}], queues=[queue], jobs=[job])
    return P


# -- clusters


@before("CreateCellClusterOrder")
def _(_api: Api, _box: Members) -> Members:
    masters = {"masterSpec": "Ecs_4c16g", "masterNum": 3}
    return {"payModel": "pre", "period": 8, "region": "cn-hangzhou", "slaveSpec": "Ecs_8c32g", "slaveNum": 3, **masters}


@before("CreateCluster")
def _(_api: Api, _box: Members) -> Members:
    network = {"userVpcId": "vpc-abcde", "userVSwitch": "vsw-abcde", "userOssBucket": "12345"}
    return {"orderId": "blinkonecs_1234", "zoneId": "cn-shanghai-f", "displayName": "cluster_name", **network}


@before("ListCluster")
def _(api: Api, box: Members) -> Members:
    seed(api, clusters=box["Clusters"]["Cluster"])
    return {}


@before("GetClusterDetails")
def _(api: Api, box: Members) -> Members:
    seed(api, clusters=[box["Details"]])
    return {"clusterId": box["Details"]["ClusterId"]}


@before("GetClusterEngineVersions")
def _(api: Api, box: Members) -> Members:
    versions = box["EngineVersions"]["EngineVersion"]
    seed(api, clusters=[{"ClusterId": CLUSTER, "engine_versions": ",".join(versions)}])
    return {"clusterId": CLUSTER}


@before("DestroyCluster")
def _(api: Api, _box: Members) -> Members:
    seed(api)
    return {"clusterId": CLUSTER}


@before("GetClusterResource")
def _(api: Api, box: Members) -> Members:
    resource = box["Resource"]
    taken = plan(core=resource["AllocatedVirtualCores"] / 100, heap_memory=resource["AllocatedMB"])
    project_with_running_job(api, PlanJson=taken)
    return {"clusterId": CLUSTER}


@before("GetClusterMetrics")
def _(api: Api, _box: Members) -> Members:
    seed(api)
    api.advance("2m")
    return {"clusterId": CLUSTER, "metricJson": _QUERY.format(cluster=CLUSTER)}


@before("GetInstanceMetric")
def _(api: Api, _box: Members) -> Members:
    project_with_running_job(api)
    api.advance("2m")
    return RUNNING | {"metricJson": '{"queries":[{"metric":"blink.project1.job1.delay","downsample":"20s-avg"}]}'}


@before("ExpandCluster")
def _(api: Api, _box: Members) -> Members:
    seed(api)
    return {"clusterId": CLUSTER, "count": 3, "model": "Ecs_4c16g"}


@before("ShrinkCluster")
def _(api: Api, _box: Members) -> Members:
    seed(api, clusters=[{"ClusterId": CLUSTER, "slave_num": 3}])
    return {"clusterId": CLUSTER, "modelTargetCount": "2"}


@before("ModifyMasterSpec")
def _(api: Api, _box: Members) -> Members:
    seed(api)
    return {"clusterId": CLUSTER, "masterTargetModel": "Ecs_8c32g"}


# -- AutoScale


@before("UpdateAutoScaleConfig")
def _(api: Api, _box: Members) -> Members:
    started_job(api, is_scaled=True)
    return RUNNING | {"configJson": '{"autoscale.enable":"false"}'}


@before("GetJobLatestAutoScalePlan")
def _(api: Api, box: Members) -> Members:
    started_job(api, is_scaled="PlanJson" in box)
    return J


@before("GetInstanceHistoryAutoScalePlanList")
def _(api: Api, box: Members) -> Members:
    started_job(api, is_scaled="PlanList" in box)
    return RUNNING


@before("GetInstanceHistoryAutoScalePlanContent")
def _(api: Api, _box: Members) -> Members:
    started_job(api, is_scaled=True)
    (name,) = api.ok("GetInstanceHistoryAutoScalePlanList", **RUNNING)["PlanList"]["Plan"]
    return RUNNING | {"planName": name}
