"""The kinds of jobs that the engine runs."""

from typing import Final, Literal

JobType = Literal["FLINK_STREAM", "FLINK_BATCH"]
STREAM: Final = "FLINK_STREAM"
BATCH: Final = "FLINK_BATCH"

ApiType = Literal["DATASTREAM", "SQL"]
SQL: Final = "SQL"
