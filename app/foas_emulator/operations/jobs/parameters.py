"""Parameters of the operations on jobs."""

from typing import Annotated, get_args

from fastapi import Form, Query

from foas_emulator.blink import kinds
from foas_emulator.gateway.parameters import REFUSED_WITHOUT, Decimal, Flag, Int64, Items, one_of

JobType = Annotated[kinds.JobType, one_of(*get_args(kinds.JobType))]
ApiType = Annotated[kinds.ApiType, one_of(*get_args(kinds.ApiType))]

# -- what a job is made of

GivenJobName = Annotated[
    str | None,
    Form(alias="jobName", description="Name of the job.", json_schema_extra=REFUSED_WITHOUT, examples=["job1"]),
]
GivenJobType = Annotated[
    JobType | None, Form(alias="jobType", description="Stream or batch.", json_schema_extra=REFUSED_WITHOUT)
]
GivenApiType = Annotated[
    ApiType | None,
    Form(alias="apiType", description="Written in SQL or for the DataStream API.", json_schema_extra=REFUSED_WITHOUT),
]
GivenCode = Annotated[
    str | None,
    Form(
        alias="code",
        description="The SQL, or the configuration of a DATASTREAM job as lines of key=value.",
        json_schema_extra=REFUSED_WITHOUT,
        examples=["blink.main.class=com.example.Main\nblink.job.name=job1"],
    ),
]
Code = Annotated[
    str | None,
    Form(
        description="The SQL, or the configuration of a DATASTREAM job as lines of key=value.",
        examples=["blink.main.class=com.example.Main\nblink.job.name=job1"],
    ),
]
PlanJson = Annotated[str | None, Form(alias="planJson", description="The execution plan.", examples=["{a:b}"])]
Properties = Annotated[
    str | None, Form(description="Settings of the run.", examples=["blink.checkpoint.interval.ms=180000"])
]
Packages = Annotated[
    str | None, Form(description="Names of packages, with commas between.", examples=["clicks-1.2.jar"])
]
Description = Annotated[str | None, Form(description="A remark.", examples=["test"])]
EngineVersion = Annotated[
    str | None,
    Form(
        alias="engineVersion",
        description="Version of Blink; current and beta name the cluster's own, current if none is given.",
        examples=["blink-3.4.4"],
    ),
]
ClusterId = Annotated[
    str | None, Form(alias="clusterId", description="Id of the cluster.", examples=["demo4b0v6t1kq8y2w7x5z3ca"])
]
QueueName = Annotated[
    str | None, Form(alias="queueName", description="Name of a queue bound to the project.", examples=["root.project1"])
]
FolderId = Annotated[Int64 | None, Form(alias="folderId", description="Id of the folder.", examples=[123])]

# -- what a list is narrowed to

JobTypeNeeded = Annotated[JobType, Query(alias="jobType", description="Only jobs of this type.")]
JobTypeFilter = Annotated[JobType | None, Query(alias="jobType", description="Only jobs of this type.")]
ApiTypeFilter = Annotated[ApiType | None, Query(alias="apiType", description="Only jobs of this API type.")]
JobNameFilter = Annotated[
    str | None, Query(alias="jobName", description="Only jobs whose name contains this.", examples=["job1"])
]
EngineVersionFilter = Annotated[
    str | None, Query(alias="engineVersion", description="Only this engine version.", examples=["blink-3.4.4"])
]
ClusterIdFilter = Annotated[
    str | None, Query(alias="clusterId", description="Only this cluster.", examples=["demo4b0v6t1kq8y2w7x5z3ca"])
]
QueueNameFilter = Annotated[
    str | None, Query(alias="queueName", description="Only this queue.", examples=["root.project1"])
]
FolderIdFilter = Annotated[Int64 | None, Query(alias="folderId", description="Only this folder.", examples=[123])]
IsShowFullField = Annotated[
    Flag, Query(alias="isShowFullField", description="With code, plan and properties.", examples=[True])
]

# -- plans

AutoconfEnable = Annotated[
    Flag,
    Query(alias="autoconfEnable", description="Follow the job's history if it has one.", examples=[True]),
]
ExpectedCore = Annotated[
    Decimal | None,
    Query(alias="expectedCore", description="Cores that the plan may take; only with expectedGB.", examples=[1.0]),
]
ExpectedGb = Annotated[
    Decimal | None,
    Query(alias="expectedGB", description="GB that the plan may take; only with expectedCore.", examples=[4.0]),
]
AdvisorAction = Annotated[
    str | None,
    Query(alias="AdvisorAction", description="Described nowhere; accepted, and without effect.", examples=["none"]),
]
SessionId = Annotated[
    str, Query(alias="sessionId", description="Id of the session, from GetRawPlanJson.", examples=["xxxxxx"])
]

# -- AutoScale

IsOnOff = Annotated[Flag, Form(alias="isOnOff", description="Switch AutoScale on.", examples=[True])]
MaxCu = Annotated[
    Decimal | None,
    Form(alias="maxCU", description="The most CU that AutoScale may use; 1 CU is 1 core and 4 GB.", examples=[10.0]),
]
Configure = Annotated[
    str | None,
    Form(
        description="The strategy of AutoScale: the delay in seconds from which it acts.",
        examples=['{"fetch_delay":44.5}'],
    ),
]
RecommendOnly = Annotated[
    Flag | None,
    Form(alias="recommendOnly", description="Only propose plans; needs Blink 3.7.8 or newer.", examples=[False]),
]
SuspendPeriods = Annotated[
    str | None,
    Form(
        alias="suspendPeriods",
        description="When AutoScale rests, as a JSON list.",
        examples=['[{"startTime":"18:00","endTime":"18:20","plan":"ORIGINAL","policy":"EVERY_DAY_TIME"}]'],
    ),
]
SuspendPeriodParam = Annotated[
    Items | None,
    Form(alias="suspendPeriodParam", description="When AutoScale rests, as suspendPeriodParam.N.startTime and so on."),
]
ParameterJson = Annotated[
    str | None,
    Form(
        alias="parameterJson",
        description="Settings of this run as JSON; startOffset is where to begin to read, in milliseconds.",
        examples=['{"startOffset":"1548397575000"}'],
    ),
]
