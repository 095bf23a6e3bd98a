"""Parameters of the operations on instances."""

from typing import Annotated, get_args

from fastapi import Form, Path, Query

from foas_emulator.gateway.parameters import REFUSED_WITHOUT, Flag, Int64, one_of
from foas_emulator.operations.instances import lifecycle

ExpectedState = Annotated[lifecycle.ExpectedState, one_of(*get_args(lifecycle.ExpectedState))]
ActualState = Annotated[lifecycle.State, one_of(*lifecycle.STATES)]

ListedJobName = Annotated[
    str | None, Query(alias="jobName", description="Only instances of this job.", examples=["job1"])
]
ListedExpectState = Annotated[
    ExpectedState | None, Query(alias="expectState", description="Only this expected state.", examples=["RUNNING"])
]
ListedActualState = Annotated[
    ActualState | None, Query(alias="actualState", description="Only this actual state.", examples=["RUNNING"])
]
StartBeginTs = Annotated[
    Int64 | None,
    Query(alias="startBeginTs", description="Started at or after, in milliseconds.", examples=[1548397575000]),
]
StartEndTs = Annotated[
    Int64 | None,
    Query(alias="startEndTs", description="Started at or before, in milliseconds.", examples=[1548397575000]),
]
EndBeginTs = Annotated[
    Int64 | None, Query(alias="endBeginTs", description="Ended at or after, in milliseconds.", examples=[1548397575000])
]
EndEndTs = Annotated[
    Int64 | None, Query(alias="endEndTs", description="Ended at or before, in milliseconds.", examples=[1548397575000])
]
IsArchived = Annotated[
    Flag,
    Query(alias="isArchived", description="The archived instances instead of the others.", examples=[True]),
]
JobNames = Annotated[
    str, Query(alias="jobNames", description="Names of jobs, with commas between.", examples=["job1,job2"])
]
ExpectState = Annotated[
    ExpectedState | None,
    Form(
        alias="expectState",
        description="The state that is wanted: PAUSED for stream jobs only, SUCCESS for batch jobs only.",
        json_schema_extra=REFUSED_WITHOUT,
        examples=["RUNNING"],
    ),
]
IsFlush = Annotated[
    Flag,
    Form(alias="isFlush", description="On resume, run the latest committed copy of the job.", examples=[True]),
]
TriggerCheckpoint = Annotated[
    Flag,
    Form(
        alias="triggerCheckpoint",
        description="On pause or stop, take a checkpoint; needs Blink 3.5.0 or newer.",
        examples=[True],
    ),
]
VertexId = Annotated[
    str,
    Path(
        alias="vertexId",
        description="Id of a vertex, from GetInstanceDetail.",
        examples=["19b5b24062c48a06e4eac65422ac3317"],
    ),
]
