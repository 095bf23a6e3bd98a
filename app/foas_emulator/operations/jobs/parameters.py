"""Parameters of the operations on jobs."""

from typing import Annotated, get_args

from foas_emulator.blink import auto_scale, kinds
from foas_emulator.gateway.parameters import Decimal, Flag, Int64, Items, one_of
from foas_emulator.operations.parameters import Filter, form, query

JobType = Annotated[kinds.JobType, one_of(*get_args(kinds.JobType))]
ApiType = Annotated[kinds.ApiType, one_of(*get_args(kinds.ApiType))]

# -- contents of a job

GivenJobName = Annotated[str | None, form("jobName", "Name of the job.", "job1", required=True)]
GivenJobType = Annotated[JobType | None, form("jobType", "Stream or batch.", required=True)]
GivenApiType = Annotated[ApiType | None, form("apiType", "Written in SQL or for the DataStream API.", required=True)]
GivenCode = Annotated[
    str | None,
    form(
        "code",
        "The SQL, or the configuration of a DATASTREAM job as lines of key=value.",
        "blink.main.class=com.example.Main\nblink.job.name=job1",
        required=True,
    ),
]
Code = Annotated[
    str | None,
    form(
        "code",
        "The SQL, or the configuration of a DATASTREAM job as lines of key=value.",
        "blink.main.class=com.example.Main\nblink.job.name=job1",
    ),
]
PlanJson = Annotated[str | None, form("planJson", "The execution plan.", "{a:b}")]
Properties = Annotated[str | None, form("properties", "Settings of the run.", "blink.checkpoint.interval.ms=180000")]
Packages = Annotated[str | None, form("packages", "Names of packages, separated by commas.", "clicks-1.2.jar")]
Description = Annotated[str | None, form("description", "A remark.", "test")]
EngineVersion = Annotated[
    str | None,
    form(
        "engineVersion",
        "Version of Blink; current and beta name the cluster's own, current if none is given.",
        "blink-3.4.4",
    ),
]
ClusterId = Annotated[str | None, form("clusterId", "Id of the cluster.", "demo4b0v6t1kq8y2w7x5z3ca")]
QueueName = Annotated[str | None, form("queueName", "Name of a queue bound to the project.", "root.project1")]
FolderId = Annotated[Int64 | None, form("folderId", "Id of the folder.", 123)]

# -- filters of lists

JobTypeNeeded = Annotated[JobType, query("jobType", "Only jobs of this type.")]
JobTypeFilter = Annotated[JobType | None, query("jobType", "Only jobs of this type.")]
ApiTypeFilter = Annotated[ApiType | None, query("apiType", "Only jobs of this API type.")]
JobNameFilter = Annotated[Filter, query("jobName", "Only jobs whose name contains this.", "job1")]
EngineVersionFilter = Annotated[Filter, query("engineVersion", "Only this engine version.", "blink-3.4.4")]
ClusterIdFilter = Annotated[Filter, query("clusterId", "Only this cluster.", "demo4b0v6t1kq8y2w7x5z3ca")]
QueueNameFilter = Annotated[Filter, query("queueName", "Only this queue.", "root.project1")]
FolderIdFilter = Annotated[Int64 | None, query("folderId", "Only this folder.", 123)]
IsShowFullField = Annotated[Flag, query("isShowFullField", "With code, plan and properties.", True)]

# -- plans

AutoconfEnable = Annotated[Flag, query("autoconfEnable", "Follow the job's history if it has one.", True)]
ExpectedCore = Annotated[
    Decimal | None, query("expectedCore", "Cores that the plan may take; only with expectedGB.", 1.0)
]
ExpectedGb = Annotated[Decimal | None, query("expectedGB", "GB that the plan may take; only with expectedCore.", 4.0)]
AdvisorAction = Annotated[
    str | None, query("AdvisorAction", "Described nowhere; accepted, and without effect.", "none")
]
SessionId = Annotated[str, query("sessionId", "Id of the session, from GetRawPlanJson.", "xxxxxx")]

# -- AutoScale

IsOnOff = Annotated[Flag, form("isOnOff", "Switch AutoScale on.", True)]
MaxCu = Annotated[Decimal | None, form("maxCU", "The most CU that AutoScale may use; 1 CU is 1 core and 4 GB.", 10.0)]
Configure = Annotated[
    str | None,
    form("configure", "The strategy of AutoScale: the delay in seconds from which it acts.", '{"fetch_delay":44.5}'),
]
RecommendOnly = Annotated[Flag | None, form("recommendOnly", "Only propose plans; needs Blink 3.7.8 or newer.", False)]
_A_TIME = "HH:mm for EVERY_DAY_TIME, yyyy-MM-dd HH:mm for SPECIFIED_TIME."
_PERIOD = {
    "startTime": {"type": "string", "description": f"Its begin: {_A_TIME}"},
    "endTime": {"type": "string", "description": f"Its end: {_A_TIME}"},
    "plan": {"type": "string", "description": "The plan to run with meanwhile.", "enum": [*auto_scale.PLANS]},
    "policy": {"type": "string", "description": "Every day, or once.", "enum": [*auto_scale.POLICIES]},
}
SuspendPeriods = Annotated[
    str | None,
    form(
        "suspendPeriods",
        "Times at which AutoScale is suspended, as a JSON list.",
        '[{"startTime":"18:00","endTime":"18:20","plan":"ORIGINAL","policy":"EVERY_DAY_TIME"}]',
    ),
]
SuspendPeriodParam = Annotated[
    Items | None,
    form(
        "suspendPeriodParam",
        "The same times, as suspendPeriodParam.N.startTime and so on.",
        maxItems=auto_scale.MOST_PERIODS,
        items={"type": "object", "properties": _PERIOD},
    ),
]
ParameterJson = Annotated[
    str | None,
    form(
        "parameterJson",
        "Settings of this run as JSON; startOffset is where to begin to read, in milliseconds.",
        '{"startOffset":"1548397575000"}',
    ),
]
