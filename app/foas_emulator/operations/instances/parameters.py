"""Parameters of the operations on instances."""

from typing import Annotated, get_args

from foas_emulator.gateway.parameters import Flag, Int64, one_of
from foas_emulator.operations.instances import lifecycle
from foas_emulator.operations.parameters import Filter, form, path, query

ExpectedState = Annotated[lifecycle.ExpectedState, one_of(*get_args(lifecycle.ExpectedState))]
ActualState = Annotated[lifecycle.State, one_of(*lifecycle.STATES)]

ListedJobName = Annotated[Filter, query("jobName", "Only instances of this job.", "job1")]
ListedExpectState = Annotated[ExpectedState | None, query("expectState", "Only this expected state.", "RUNNING")]
ListedActualState = Annotated[ActualState | None, query("actualState", "Only this actual state.", "RUNNING")]
StartBeginTs = Annotated[Int64 | None, query("startBeginTs", "Started at or after, in milliseconds.", 1548397575000)]
StartEndTs = Annotated[Int64 | None, query("startEndTs", "Started at or before, in milliseconds.", 1548397575000)]
EndBeginTs = Annotated[Int64 | None, query("endBeginTs", "Ended at or after, in milliseconds.", 1548397575000)]
EndEndTs = Annotated[Int64 | None, query("endEndTs", "Ended at or before, in milliseconds.", 1548397575000)]
IsArchived = Annotated[Flag, query("isArchived", "The archived instances instead of the others.", True)]
JobNames = Annotated[str, query("jobNames", "Names of jobs, separated by commas.", "job1,job2")]
ExpectState = Annotated[
    ExpectedState | None,
    form(
        "expectState",
        "The state that is wanted: PAUSED for stream jobs only, SUCCESS for batch jobs only.",
        "RUNNING",
        required=True,
    ),
]
IsFlush = Annotated[Flag, form("isFlush", "On resume, run the latest committed copy of the job.", True)]
TriggerCheckpoint = Annotated[
    Flag, form("triggerCheckpoint", "On pause or stop, take a checkpoint; needs Blink 3.5.0 or newer.", True)
]
VertexId = Annotated[
    str, path("vertexId", "Id of a vertex, from GetInstanceDetail.", "19b5b24062c48a06e4eac65422ac3317")
]
