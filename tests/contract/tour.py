"""One program that makes every call the official SDKs have, from an empty account to an empty account."""

import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

P = {"projectName": "tour"}
J = P | {"jobName": "clicks"}
CURRENT = J | {"instanceId": "-1"}
QUEUE = "root.tour"

CODE = """\
CREATE TABLE clicks (user_id VARCHAR, page VARCHAR, ts TIMESTAMP, WATERMARK FOR ts AS withOffset(ts, 1000))
WITH (type = 'datahub', project = 'shop', topic = 'clicks');
CREATE TABLE users (user_id VARCHAR, city VARCHAR, PRIMARY KEY (user_id), PERIOD FOR SYSTEM_TIME)
WITH (type = 'odps', project = 'shop', tableName = 'users');
CREATE TABLE visits (city VARCHAR, number BIGINT) WITH (type = 'rds', tableName = 'visits');
INSERT INTO visits
SELECT u.city, COUNT(*) FROM clicks AS c JOIN users FOR SYSTEM_TIME AS OF PROCTIME() AS u ON c.user_id = u.user_id
GROUP BY TUMBLE(c.ts, INTERVAL '1' MINUTE), u.city;
"""


@dataclass(frozen=True, kw_only=True)
class Tour:
    """Makes calls with an SDK, as its user would, and keeps the answers by operation."""

    sdk: Callable[[str, dict[str, Any]], dict[str, Any]]
    """Makes a call of an operation with these parameters; its answer has the types of the contract."""
    wait: Callable[[str], None]
    """Lets some time pass in the world, such as `2m`."""
    reads_bare_lists: bool = True
    """Whether the SDK sees all items of a list without an element of its own: Java's XML reader may see the last."""
    answers: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        answer = self.sdk(operation, parameters)
        self.answers[operation].append(answer)
        return answer

    def make(self) -> None:
        cluster_id = self.buy_a_cluster()
        self.resize(cluster_id)
        self.set_up_a_project(cluster_id)
        self.lay_folders_and_packages()
        self.write_the_job(cluster_id)
        self.run_the_job()
        self.measure(cluster_id)
        self.scale_the_job()
        self.stop_the_job()
        self.clear_the_project(cluster_id)
        self.give_the_cluster_back(cluster_id)

    def buy_a_cluster(self) -> str:
        machines = {"masterSpec": "Ecs_4c16g", "masterNum": 1, "slaveSpec": "Ecs_4c16g", "slaveNum": 3}
        ordered = self.call("CreateCellClusterOrder", payModel="post", region="cn-hangzhou", **machines)
        created = self.call(
            "CreateCluster",
            orderId=ordered["OrderId"],
            zoneId="cn-hangzhou-f",
            displayName="tour",
            description="of the tour",
            userOssBucket="bucket",
            userVpcId="vpc-1",
            userVSwitch="vsw-1",
        )
        cluster_id = str(created["ClusterId"])
        (cluster,) = self.call("ListCluster", clusterId=cluster_id)["Clusters"]["Cluster"]
        assert cluster["State"] == "RUNNING"
        tags = [{"Key": f"stop-{number}", "Value": "tour"} for number in range(60)]
        self.call("TagResources", ResourceType="cluster", ResourceIds=cluster_id, Tags=json.dumps(tags))
        first = self.call("ListTagResources", ResourceType="cluster", ResourceIds=cluster_id)["Data"]
        rest = self.call("ListTagResources", ResourceType="cluster", NextToken=first["NextToken"])["Data"]
        assert len(first["TagResources"] + rest["TagResources"]) == len(tags) or not self.reads_bare_lists
        return cluster_id

    def resize(self, cluster_id: str) -> None:
        self.call("ExpandCluster", clusterId=cluster_id, count=5, model="Ecs_4c16g", userVSwitch="vsw-2")
        machines = json.loads(self.call("GetClusterDetails", clusterId=cluster_id)["Details"]["InstanceInfos"])
        self.call("ShrinkCluster", clusterId=cluster_id, instanceIds=machines["slaves"][-1]["instanceId"])
        self.call("ModifyMasterSpec", clusterId=cluster_id, masterTargetModel="Ecs_8c32g")
        resource = self.call("GetClusterResource", clusterId=cluster_id)["Resource"]
        assert (resource["TotalVirtualCores"], resource["TotalMB"]) == (4 * 300, 4 * 12288)
        versions = self.call("GetClusterEngineVersions", clusterId=cluster_id)["EngineVersions"]["EngineVersion"]
        assert "beta--blink-3.7.8" in versions

    def set_up_a_project(self, cluster_id: str) -> None:
        queue = {"clusterId": cluster_id, "queueName": QUEUE}
        self.call("CreateQueue", **queue, maxVcore=500, maxMemMB=20480)
        self.call("UpdateQueue", **queue, maxVcore=1000, maxMemMB=40960, gpu=0)
        about = {"description": "of the tour", "managerIds": "1234567"}
        self.call("CreateProject", name="tour", deployType="cell", clusterId=cluster_id, **about)
        self.call("UpdateProject", **P, globalJobConfig="sql.type=print")
        assert self.call("UpdateProjectConfig", ProjectName="tour", IsOpenBatchSQL=True)["Data"] is True
        assert self.call("GetProject", **P)["Project"]["GlobalJobConfig"] == "sql.type=print"
        (project,) = self.call("ListProject", name="tour", pageIndex=1, pageSize=10)["Projects"]["Project"]
        assert project["ClusterId"] == cluster_id
        self.call("BindQueue", **P, **queue)
        assert self.call("ListProjectBindQueue", **P)["Queues"]["Queue"] == [
            {"QueueName": QUEUE, "ClusterId": cluster_id}
        ]

    def lay_folders_and_packages(self) -> None:
        self.call("CreateFolder", **P, path="/新手任务")
        self.call("CreateFolder", **P, path="/drafts")
        self.call("MVFolder", **P, srcPath="/drafts", destPath="/新手任务/drafts")
        (folder,) = self.call("ListChildFolder", **P, path="/新手任务")["Folders"]["Folder"]
        assert folder["Path"] == "/新手任务/drafts"
        file = {"ossEndpoint": "oss-cn-hangzhou.aliyuncs.com", "ossBucket": "bucket", "ossOwner": "owner"}
        file |= {"originName": "udf.jar", "ossPath": "udf-1.0.jar", "md5": "0" * 32, "tag": '{"of":"tour"}'}
        self.call("CreatePackage", **P, packageName="udf.jar", type="JAR", description="functions", **file)
        self.call("UpdatePackage", **P, packageName="udf.jar", ossPath="udf-1.1.jar")
        (listed,) = self.call("ListPackage", **P, packageName="udf", pageIndex=1, pageSize=1)["Packages"]["Package"]
        shown = self.call("GetPackage", **P, packageName="udf.jar")["Package"]
        assert shown["OssPath"] == listed["OssPath"] == "udf-1.1.jar"

    def write_the_job(self, cluster_id: str) -> None:
        folder_id = self.call("GetFolder", **P, path="/新手任务")["Folder"]["FolderId"]
        self.call(
            "CreateJob",
            **J,
            jobType="FLINK_STREAM",
            apiType="SQL",
            code=CODE.replace("PROCTIME()", "PROCTIME("),
            properties="blink.checkpoint.interval.ms=60000",
            packages="udf.jar",
            description="visits by city",
            engineVersion="beta",
            clusterId=cluster_id,
            queueName=QUEUE,
            folderId=folder_id,
        )
        assert self.make_a_plan()["Status"] == "fail"
        self.call("UpdateJob", **J, code=CODE)
        tables = self.call("ValidateJob", **J)["JobInOut"]
        assert [table["Alias"] for table in tables["Dims"]["Dim"]] == ["users"]
        plan = self.make_a_plan()
        assert plan["Status"] == "success"
        self.call("UpdateJob", **J, planJson=plan["PlanJson"])
        assert self.call("CalcPlanJsonResource", **J)["PlanJsonResource"]["Cores"] <= 2
        job = self.call("GetJob", **J)["Job"]
        assert (job["PlanJson"], job["EngineVersion"], job["IsCommitted"]) == (plan["PlanJson"], "blink-3.7.8", False)

    def make_a_plan(self) -> dict[str, str]:
        session_id = self.call("GetRawPlanJson", **J, expectedCore=2.0, expectedGB=8.0)["SessionId"]
        made: dict[str, str] = self.call("CheckRawPlanJson", **J, sessionId=session_id)["PlanJsonInfo"]
        return made

    def run_the_job(self) -> None:
        pause = {"startTime": "18:00", "endTime": "18:20", "plan": "ORIGINAL", "policy": "EVERY_DAY_TIME"}
        scale = {"isOnOff": True, "maxCU": 10.0, "configure": '{"fetch_delay":44.5}', "recommendOnly": False}
        self.call("CommitJob", **J, **scale, suspendPeriodParams=[pause])
        (listed,) = self.call("ListJob", **P, isShowFullField=True, pageIndex=1, pageSize=10)["Jobs"]["Job"]
        (user,) = self.call("GetRefPackageJob", **P, packageName="udf.jar")["Jobs"]["Job"]
        assert listed["IsCommitted"] is user["IsCommitted"] is True
        instance_id = self.call("StartJob", **J, parameterJson='{"startOffset":"1548397575000"}')["instanceId"]
        instance = self.call("GetInstance", **CURRENT)["Instance"]
        assert (instance["Id"], instance["ActualState"]) == (instance_id, "RUNNING")
        assert self.call("GetInstance", **J, instanceId=str(instance_id))["Instance"] == instance

    def measure(self, cluster_id: str) -> None:
        self.wait("2m")
        for operation in ("Config", "Detail", "Exceptions", "Checkpoint"):
            answer = self.call(f"GetInstance{operation}", **CURRENT)
            assert json.loads(answer[operation if operation != "Checkpoint" else "Checkpoints"])
        assert self.call("GetInstanceFinalState", **CURRENT)["Finalstate"] == "RUNNING"
        taken = self.call("GetInstanceResource", **CURRENT)["Resource"]["AllocatedVirtualCores"]
        for answer in (
            self.call("ListProjectBindQueueResource", **P, queueName=QUEUE),
            self.call("GetClusterQueueInfo", clusterId=cluster_id),
        ):
            (queue,) = answer["Queues"]["Queue"]
            assert queue["UsedVCore"] == taken
        delay = '{"limit":"avg:sample:50","queries":[{"metric":"blink.tour.clicks.delay","downsample":"20s-avg"}]}'
        (curve,) = self.call("GetInstanceMetric", **CURRENT, metricJson=delay)["Metrics"]["Metric"]
        memory = f'{{"queries":[{{"metric":"{cluster_id}.system.mem.memtotal","downsample":"avg"}}]}}'
        (line,) = self.call("GetClusterMetrics", clusterId=cluster_id, metricJson=memory)["Metrics"]["Metric"]
        assert curve["Dps"]
        assert line["Dps"]
        others = [f"blink.{name}" for name in ("tour.other.delay", "other.clicks.delay", "tour.clicks.absent")]
        asked = json.dumps({"queries": [{"metric": name, "downsample": "20s-avg"} for name in others]})
        empty = self.call("GetInstanceMetric", **CURRENT, metricJson=asked)["Metrics"]["Metric"]
        assert [(each["MetricName"], each.get("Dps") or {}) for each in empty] == [(name, {}) for name in others]

    def scale_the_job(self) -> None:
        (name,) = self.call("GetInstanceHistoryAutoScalePlanList", **CURRENT)["PlanList"]["Plan"]
        content = self.call("GetInstanceHistoryAutoScalePlanContent", **CURRENT, planName=name)["PlanContent"]
        assert self.call("GetJobLatestAutoScalePlan", **J)["PlanJson"] == content
        self.call("UpdateAutoScaleConfig", **CURRENT, configJson='{"autoscale.enable":"false"}')

    def stop_the_job(self) -> None:
        first = self.call("GetInstanceRunSummary", **CURRENT)["RunSummary"]["Id"]
        for state in ("PAUSED", "RUNNING", "TERMINATED"):
            self.call("ModifyInstanceState", **CURRENT, expectState=state, isFlush=True, triggerCheckpoint=False)
            reached = self.call("GetInstanceRunSummary", **CURRENT)["RunSummary"]
            assert reached["ActualState"] == reached["ExpectState"] == state
        summaries = self.call("BatchGetInstanceRunSummary", **P, jobNames="clicks,absent", jobType="FLINK_STREAM")
        assert summaries["RunSummarys"]["RunSummary"][0]["Id"] == reached["Id"]
        archived = self.call("ListInstance", **P, jobType="FLINK_STREAM", isArchived=True)["Instances"]["Instance"]
        listed = self.call("ListInstance", **P, jobType="FLINK_STREAM", actualState="TERMINATED", pageSize=1)
        assert [instance["Id"] for instance in archived] == [first]
        assert [instance["Id"] for instance in listed["Instances"]["Instance"]] == [reached["Id"]]

    def clear_the_project(self, cluster_id: str) -> None:
        queue = {"clusterId": cluster_id, "queueName": QUEUE}
        self.call("OfflineJob", **J)
        self.call("DeleteJob", **J)
        assert "Job" not in self.call("GetJob", **J)
        self.call("DeletePackage", **P, packageName="udf.jar")
        self.call("DeleteFolder", **P, path="/新手任务/drafts")
        self.call("DeleteFolder", **P, path="/新手任务")
        assert "Folder" not in self.call("GetFolder", **P, path="/新手任务")
        self.call("UnbindQueue", **P, **queue)
        self.call("DeleteProject", **P)
        self.call("DeleteQueue", **queue)

    def give_the_cluster_back(self, cluster_id: str) -> None:
        self.call("UntagResources", ResourceType="cluster", ResourceIds=cluster_id, TagKeys="stop-0,stop-1", All=False)
        self.call("UntagResources", ResourceType="cluster", ResourceIds=cluster_id, All=True)
        assert not self.call("ListTagResources", ResourceType="cluster").get("Data", {}).get("TagResources")
        self.call("DestroyCluster", clusterId=cluster_id)
        (cluster,) = self.call("ListCluster", displayName="tour")["Clusters"]["Cluster"]
        assert cluster["State"] == "DESTROYED"
        assert self.call("ListProject")["Projects"]["Project"] == []
